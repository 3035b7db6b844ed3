/** The calls of a node that can be disturbed: every request and every message passes the node's gate. */
import type {
  RpcServer,
  RpcStream,
  RpcStreamHandlers,
  StreamHandler,
} from '../../../proto/ports/rpc.ts';
import type { InputGate } from './input-gate.ts';

/** The same server, behind the gate. */
export function gatedRpcServer(server: RpcServer, gate: InputGate): RpcServer {
  return {
    unary: (method, handler) =>
      server.unary(
        method,
        (request, context) =>
          new Promise((resolve, reject) => {
            gate.pass(() => {
              handler(request, context).then(resolve, reject);
            });
          }),
      ),
    stream: (method, handler) => server.stream(method, gatedHandler(handler, gate)),
    listen: (host, port) => server.listen(host, port),
    stop: (graceMs) => server.stop(graceMs),
  };
}

function gatedHandler<Request, Response>(
  handler: StreamHandler<Request, Response>,
  gate: InputGate,
): StreamHandler<Request, Response> {
  return (stream, context) => {
    const held = new HeldStream(stream, gate);
    let inner: RpcStreamHandlers<Request> | undefined;
    gate.pass(() => {
      inner = handler(held, context);
    });
    return {
      onMessage: (message) => gate.pass(() => inner?.onMessage(message)),
      // A handler that does not say what it does at the end ends its side too.
      onEnd: () => gate.pass(() => (inner?.onEnd === undefined ? held.end() : inner.onEnd())),
      onDrain: () => gate.pass(() => inner?.onDrain?.()),
      onClose: (error) => {
        held.forget();
        gate.pass(() => inner?.onClose(error));
      },
    };
  };
}

/** A stream that reads nothing while the node is paused, whatever the node itself wants. */
class HeldStream<Outgoing> implements RpcStream<Outgoing> {
  readonly #stream: RpcStream<Outgoing>;
  readonly forget: () => void;
  #isPaused = false;
  #isHeld: boolean;

  constructor(stream: RpcStream<Outgoing>, gate: InputGate) {
    this.#stream = stream;
    this.#isHeld = gate.isHeld;
    if (this.#isHeld) stream.pause();
    this.forget = gate.watch((isHeld) => {
      this.#isHeld = isHeld;
      this.#apply();
    });
  }

  send(message: Outgoing): boolean {
    return this.#stream.send(message);
  }

  pause(): void {
    this.#isPaused = true;
    this.#apply();
  }

  resume(): void {
    this.#isPaused = false;
    this.#apply();
  }

  end(): void {
    this.#stream.end();
  }

  cancel(error?: Parameters<RpcStream<Outgoing>['cancel']>[0]): void {
    this.#stream.cancel(error);
  }

  #apply(): void {
    if (this.#isPaused || this.#isHeld) this.#stream.pause();
    else this.#stream.resume();
  }
}
