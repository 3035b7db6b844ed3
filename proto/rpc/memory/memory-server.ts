/**
 * The server of the in-memory twin: accepts calls of its network and drains as the real one does.
 */
import type {
  RpcServer,
  StreamHandler,
  StreamMethod,
  UnaryHandler,
  UnaryMethod,
} from '../../ports/rpc.ts';
import { CallAcceptor } from '../call/call-acceptor.ts';
import { HandlerTable } from '../handler-table.ts';
import type { MemoryProcess } from './memory-connector.ts';
import type { MemoryListener, MemoryRpcNetwork } from './memory-rpc-network.ts';

/** A server in memory; it drains as the gRPC server does. */
export class MemoryServer implements RpcServer {
  readonly #network: MemoryRpcNetwork;
  readonly #handlers = new HandlerTable();
  readonly #acceptor: CallAcceptor;
  readonly #listener: MemoryListener;
  #stopping: Promise<void> | undefined;

  constructor(network: MemoryRpcNetwork, process: MemoryProcess) {
    this.#network = network;
    this.#acceptor = new CallAcceptor({
      handlers: this.#handlers,
      clock: process.clock,
      defects: { logger: process.logger },
    });
    this.#listener = {
      host: process.host,
      clock: process.clock,
      accept: (call, transport) => this.#acceptor.accept(call, transport),
    };
  }

  unary<Request, Response>(
    method: UnaryMethod<Request, Response>,
    handler: UnaryHandler<Request, Response>,
  ): void {
    this.#handlers.unary(method, handler);
  }

  stream<Request, Response>(
    method: StreamMethod<Request, Response>,
    handler: StreamHandler<Request, Response>,
  ): void {
    this.#handlers.stream(method, handler);
  }

  /** The host is the one that the server was made for, whatever interface is named. */
  async listen(_host: string, port: number): Promise<number> {
    return Promise.resolve(this.#network.listen(port, this.#listener));
  }

  stop(graceMs: number): Promise<void> {
    this.#stopping ??= this.#stop(graceMs);
    return this.#stopping;
  }

  async #stop(graceMs: number): Promise<void> {
    this.#acceptor.drain();
    this.#network.unlisten(this.#listener);
    await this.#acceptor.idleWithin(graceMs);
    this.#acceptor.endAll();
    await this.#acceptor.idleWithin(graceMs);
    this.#network.closeConnectionsOf(this.#listener);
  }
}
