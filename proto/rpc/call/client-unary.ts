/**
 * One request and its answer as the caller sees them: settled by the answer, the deadline or the
 * end of the connection.
 */
import { HighwaterError } from '../../model/errors.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { CallOptions, RpcBytes, UnaryMethod } from '../../ports/rpc.ts';
import { errorOf, type RpcStatus, statusOf } from '../status.ts';
import { listenForAbort } from './abort-listener.ts';
import { malformed } from './incoming-messages.ts';
import { measured } from './outgoing-messages.ts';
import type { ClientTransport, ClientTransportListener, OpenCall } from './transport.ts';

export interface ClientUnaryOptions {
  readonly open: OpenCall;
  readonly clock: Clock;
  readonly call: CallOptions;
  /** Called when the call is over. */
  readonly onClosed: (call: { cancel(error: HighwaterError): void }) => void;
}

/**
 * The caller's side of one request and its answer. The promise always settles: the deadline is kept
 * here, whatever the server and the connection do.
 */
export class ClientUnary<Request, Response> implements ClientTransportListener {
  readonly promise: Promise<Response>;
  readonly #method: UnaryMethod<Request, Response>;
  readonly #options: ClientUnaryOptions;
  readonly #transport: ClientTransport;
  readonly #timer: Timer;
  readonly #onAbort = () => this.cancel(new HighwaterError('CANCELLED', 'the caller gave up'));
  #resolve: (response: Response) => void = () => {};
  #reject: (error: HighwaterError) => void = () => {};
  /** Why this side ended the call; its outcome is known when the status follows. */
  #cause: HighwaterError | undefined;
  #answer: Buffer | undefined;
  #isClosed = false;

  constructor(
    method: UnaryMethod<Request, Response>,
    request: RpcBytes,
    options: ClientUnaryOptions,
  ) {
    this.#method = method;
    this.#options = options;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const { headers, deadlineMs, signal } = options.call;
    this.#transport = options.open({ path: method.path, headers: headers ?? {}, deadlineMs }, this);
    this.#timer = options.clock.after(deadlineMs, () =>
      this.cancel(new HighwaterError('DEADLINE_EXCEEDED', `no answer within ${deadlineMs} ms`)),
    );
    if (signal !== undefined) listenForAbort(signal, this.#onAbort);
    this.#transport.read();
    this.#transport.write([request], () => {});
    this.#transport.halfClose();
  }

  cancel(error: HighwaterError): void {
    if (this.#isClosed || this.#cause !== undefined) return;
    this.#cause = error;
    this.#transport.cancel(statusOf(error));
  }

  onOpen(): void {}

  onMessage(bytes: Buffer): void {
    if (this.#answer === undefined) {
      this.#answer = bytes;
      this.#transport.read();
    } else this.cancel(new HighwaterError('INTERNAL', 'the server sent two answers'));
  }

  onStatus(status: RpcStatus, wasSent: boolean): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer.cancel();
    this.#options.call.signal?.removeEventListener('abort', this.#onAbort);
    if (this.#cause !== undefined) this.#reject(unsentIf(!wasSent, this.#cause));
    else if (status.code !== 0) this.#reject(errorOf(status, wasSent));
    else this.#decode(this.#answer);
    this.#options.onClosed(this);
  }

  #decode(answer: Buffer | undefined): void {
    if (answer === undefined) {
      this.#reject(new HighwaterError('INTERNAL', 'the server sent no answer'));
      return;
    }
    try {
      this.#resolve(this.#method.response.decode(answer));
    } catch (caught) {
      const why = malformed(caught);
      // The server did its work: only its answer cannot be read.
      this.#reject(new HighwaterError('INTERNAL', why.message, { cause: caught }));
    }
  }
}

/** Encodes and checks a request before anything is opened. */
export function encodedRequest<Request, Response>(
  method: UnaryMethod<Request, Response>,
  request: Request,
): RpcBytes {
  const parts = method.request.encode(request);
  measured(parts);
  return parts;
}

/** The same error with the outcome that follows from nothing having been sent. */
function unsentIf(isUnsent: boolean, error: HighwaterError): HighwaterError {
  if (!isUnsent || error.outcome === 'not-written') return error;
  return new HighwaterError(error.code, error.message, {
    facts: error.facts,
    cause: error.cause,
    outcome: 'not-written',
  });
}
