/** A stream as its handler sees it, from the caller's first header to the status that ends it. */
import { HighwaterError } from '../../model/errors.ts';
import type {
  RpcCallContext,
  RpcStream,
  RpcStreamHandlers,
  StreamHandler,
  StreamMethod,
} from '../../ports/rpc.ts';
import { okStatus, statusOf } from '../status.ts';
import { type DefectSink, guarded, isAnswer, reportDefect } from './defects.ts';
import { IncomingMessages } from './incoming-messages.ts';
import { measured, OutgoingMessages } from './outgoing-messages.ts';
import type { ServerTransport, ServerTransportListener } from './transport.ts';

export interface ServerStreamOptions {
  readonly context: RpcCallContext;
  readonly defects: DefectSink;
  /** Called once the stream is over, with its error if it did not end in order. */
  readonly onClosed: (stream: object, error: HighwaterError | undefined) => void;
}

/**
 * The server's side of a stream. It is over when this side has ended it, when a handler has failed, or
 * when the caller has gone.
 */
export class ServerStream<Request, Response>
  implements RpcStream<Response>, ServerTransportListener
{
  readonly #method: StreamMethod<Request, Response>;
  readonly #transport: ServerTransport;
  readonly #options: ServerStreamOptions;
  readonly #outgoing: OutgoingMessages;
  readonly #incoming: IncomingMessages<Request>;
  #handlers: RpcStreamHandlers<Request> = { onMessage() {}, onClose() {} };
  #isEnding = false;
  #isClosed = false;

  constructor(
    method: StreamMethod<Request, Response>,
    transport: ServerTransport,
    options: ServerStreamOptions,
  ) {
    this.#method = method;
    this.#transport = transport;
    this.#options = options;
    this.#outgoing = new OutgoingMessages(transport, () =>
      this.#call(() => this.#handlers.onDrain?.()),
    );
    this.#incoming = new IncomingMessages(transport, method.request, {
      deliver: (message) => this.#call(() => this.#handlers.onMessage(message)),
      refuse: (error) => this.cancel(error),
    });
  }

  /** Runs the handler; it may send, end and cancel before it returns its own handlers. */
  start(handler: StreamHandler<Request, Response>): void {
    this.#call(() => {
      this.#handlers = handler(this, this.#options.context);
    });
    this.#incoming.next();
  }

  send(message: Response, sent?: () => void): boolean {
    if (this.#isClosed || this.#isEnding) return true;
    const parts = this.#method.response.encode(message);
    try {
      return this.#outgoing.send(parts, measured(parts), sent);
    } catch (error) {
      this.cancel(HighwaterError.from(error));
      return true;
    }
  }

  pause(): void {
    this.#incoming.pause();
  }

  resume(): void {
    this.#incoming.resume();
  }

  end(): void {
    if (this.#isClosed || this.#isEnding) return;
    this.#isEnding = true;
    this.#outgoing.end(() => this.#transport.close(okStatus));
  }

  cancel(error?: HighwaterError): void {
    if (this.#isClosed) return;
    const cause = error ?? new HighwaterError('CANCELLED', 'the server cancelled the stream');
    this.#transport.close(statusOf(cause));
    this.#close(cause);
  }

  onMessage(bytes: Buffer): void {
    this.#incoming.arrived(bytes);
  }

  onHalfClose(): void {
    this.#incoming.end(() => {
      if (this.#handlers.onEnd === undefined) this.end();
      else this.#call(() => this.#handlers.onEnd?.());
    });
  }

  onGone(): void {
    if (this.#isEnding) this.#close(undefined);
    else this.#close(new HighwaterError('CANCELLED', 'the caller has gone'));
  }

  /** `onClose` comes in a microtask: closing may have been asked for from within a handler. */
  #close(error: HighwaterError | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#outgoing.stop();
    this.#incoming.stop();
    queueMicrotask(() => {
      this.#call(() => this.#handlers.onClose(error));
      this.#options.onClosed(this, error);
    });
  }

  /** What a handler throws is the end of the stream; only an operating error tells the caller more. */
  #call(run: () => void): void {
    const failure = guarded(run);
    if (failure === undefined) return;
    if (isAnswer(failure.thrown)) {
      this.cancel(failure.thrown);
      return;
    }
    reportDefect(this.#options.defects, this.#method.path, failure.thrown);
    this.cancel(new HighwaterError('INTERNAL', 'internal error'));
  }
}
