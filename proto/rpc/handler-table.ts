/** Which handler answers which method: shared by the gRPC server and its in-memory twin. */
import { invariant } from '../model/invariant.ts';
import type {
  RpcRegistry,
  StreamHandler,
  StreamMethod,
  UnaryHandler,
  UnaryMethod,
} from '../ports/rpc.ts';

/** A method with what answers it. The types of its messages are known to the two of them only. */
export type MethodHandler =
  | {
      readonly kind: 'unary';
      readonly method: UnaryMethod<unknown, unknown>;
      readonly handler: UnaryHandler<unknown, unknown>;
    }
  | {
      readonly kind: 'stream';
      readonly method: StreamMethod<unknown, unknown>;
      readonly handler: StreamHandler<unknown, unknown>;
    };

/** The handlers of a server by path. Both servers, gRPC and in memory, are bound to one. */
export class HandlerTable implements RpcRegistry {
  readonly #handlers = new Map<string, MethodHandler>();

  unary<Request, Response>(
    method: UnaryMethod<Request, Response>,
    handler: UnaryHandler<Request, Response>,
  ): void {
    // The codec of the method and its handler agree by this signature; the table forgets the types.
    this.#add(method.path, { kind: 'unary', method, handler } as unknown as MethodHandler);
  }

  stream<Request, Response>(
    method: StreamMethod<Request, Response>,
    handler: StreamHandler<Request, Response>,
  ): void {
    this.#add(method.path, { kind: 'stream', method, handler } as unknown as MethodHandler);
  }

  find(path: string): MethodHandler | undefined {
    return this.#handlers.get(path);
  }

  paths(): string[] {
    return [...this.#handlers.keys()];
  }

  /** `highwater.v1.AdminService`: the services that have at least one handler. */
  services(): string[] {
    return [...new Set(this.paths().map((path) => path.split('/')[1] ?? ''))];
  }

  #add(path: string, entry: MethodHandler): void {
    invariant(/^\/[\w.]+\/\w+$/.test(path), `a method path is /package.Service/Method: ${path}`);
    invariant(!this.#handlers.has(path), `a method has one handler: ${path}`);
    this.#handlers.set(path, entry);
  }
}
