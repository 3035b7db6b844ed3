/**
 * One request and its answer as the handler sees them, bounded by a deadline that the server keeps.
 */
import { HighwaterError } from '../../model/errors.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { RpcCallContext, UnaryHandler, UnaryMethod } from '../../ports/rpc.ts';
import { okStatus, statusOf } from '../status.ts';
import { type DefectSink, isAnswer, reportDefect } from './defects.ts';
import { malformed } from './incoming-messages.ts';
import { measured } from './outgoing-messages.ts';
import type { ServerTransport, ServerTransportListener } from './transport.ts';

export interface ServerUnaryOptions {
  readonly context: RpcCallContext;
  readonly clock: Clock;
  readonly defects: DefectSink;
  /** Called once the call is over, with its error if it did not end in order. */
  readonly onClosed: (call: object, error: HighwaterError | undefined) => void;
}

/**
 * The server's side of one request and its answer. The deadline runs from the first header, so that a
 * request that is never finished ends as well (rule F6).
 */
export class ServerUnary<Request, Response> implements ServerTransportListener {
  readonly #method: UnaryMethod<Request, Response>;
  readonly #handler: UnaryHandler<Request, Response>;
  readonly #transport: ServerTransport;
  readonly #options: ServerUnaryOptions;
  readonly #timer: Timer;
  #request: Buffer | undefined;
  #hasStarted = false;
  #isClosed = false;

  constructor(
    method: UnaryMethod<Request, Response>,
    handler: UnaryHandler<Request, Response>,
    transport: ServerTransport,
    options: ServerUnaryOptions,
  ) {
    this.#method = method;
    this.#handler = handler;
    this.#transport = transport;
    this.#options = options;
    this.#timer = options.clock.after(options.context.deadlineMs, () => this.#expire());
    transport.read();
  }

  cancel(error: HighwaterError): void {
    if (this.#isClosed) return;
    this.#transport.close(statusOf(error));
    this.#close(error);
  }

  onMessage(bytes: Buffer): void {
    if (this.#isClosed) return;
    if (this.#request === undefined) {
      this.#request = bytes;
      this.#transport.read();
    } else this.cancel(new HighwaterError('INVALID_REQUEST', 'a unary call with two requests'));
  }

  onHalfClose(): void {
    if (this.#isClosed) return;
    const request = this.#request;
    if (request === undefined) {
      this.cancel(new HighwaterError('INVALID_REQUEST', 'a unary call without a request'));
    } else {
      this.#request = undefined;
      void this.#answer(request);
    }
  }

  onGone(): void {
    this.#close(new HighwaterError('CANCELLED', 'the caller has gone'));
  }

  /** Never rejects: whatever the handler does ends as a status. */
  async #answer(bytes: Buffer): Promise<void> {
    this.#hasStarted = true;
    try {
      const request = this.#decode(bytes);
      const response = await this.#handler(request, this.#options.context);
      if (this.#isClosed) return;
      const parts = this.#method.response.encode(response);
      measured(parts);
      this.#transport.write([parts], () => {});
      this.#transport.close(okStatus);
      this.#close(undefined);
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  #decode(bytes: Buffer): Request {
    try {
      return this.#method.request.decode(bytes);
    } catch (caught) {
      throw malformed(caught);
    }
  }

  #fail(thrown: unknown): void {
    if (isAnswer(thrown)) {
      this.cancel(thrown);
      return;
    }
    reportDefect(this.#options.defects, this.#method.path, thrown);
    this.cancel(new HighwaterError('INTERNAL', 'internal error'));
  }

  #expire(): void {
    const what = this.#hasStarted ? 'the answer was not ready' : 'the request was not complete';
    this.cancel(
      new HighwaterError('DEADLINE_EXCEEDED', `${what} within the deadline`, {
        outcome: this.#hasStarted ? 'maybe-written' : 'not-written',
      }),
    );
  }

  #close(error: HighwaterError | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer.cancel();
    this.#options.onClosed(this, error);
  }
}
