/**
 * The caller's side of a stream.
 *
 * A stream has no deadline, but opening one has: a server that accepts the connection and never
 * answers is CONNECTION_LOST after a bounded time.
 */
import { HighwaterError } from '../../model/errors.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { RpcHeaders, RpcStream, RpcStreamHandlers, StreamMethod } from '../../ports/rpc.ts';
import { errorOf, type RpcStatus, statusOf } from '../status.ts';
import { type DefectSink, guarded, isAnswer, reportDefect } from './defects.ts';
import { IncomingMessages } from './incoming-messages.ts';
import { measured, OutgoingMessages } from './outgoing-messages.ts';
import type { ClientTransport, ClientTransportListener, OpenCall } from './transport.ts';

export interface ClientStreamOptions {
  readonly open: OpenCall;
  readonly clock: Clock;
  readonly defects: DefectSink;
  readonly headers: RpcHeaders;
  /** How long the server may take to accept the stream. */
  readonly openMsMax: number;
  /** Called after `onClose`. */
  readonly onClosed: (stream: { cancel(error: HighwaterError): void }) => void;
}

export class ClientStream<Request, Response>
  implements RpcStream<Request>, ClientTransportListener
{
  readonly #method: StreamMethod<Request, Response>;
  readonly #handlers: RpcStreamHandlers<Response>;
  readonly #options: ClientStreamOptions;
  readonly #transport: ClientTransport;
  readonly #outgoing: OutgoingMessages;
  readonly #incoming: IncomingMessages<Response>;
  readonly #openTimer: Timer;
  /** Why this side ended the stream; wins over the status that follows. */
  #cause: HighwaterError | undefined;
  #isClosed = false;

  constructor(
    method: StreamMethod<Request, Response>,
    handlers: RpcStreamHandlers<Response>,
    options: ClientStreamOptions,
  ) {
    this.#method = method;
    this.#handlers = handlers;
    this.#options = options;
    this.#transport = options.open(
      { path: method.path, headers: options.headers, deadlineMs: undefined },
      this,
    );
    this.#outgoing = new OutgoingMessages(this.#transport, () =>
      this.#call(() => handlers.onDrain?.()),
    );
    this.#incoming = new IncomingMessages(this.#transport, method.response, {
      deliver: (message) => this.#call(() => handlers.onMessage(message)),
      refuse: (error) => this.cancel(error),
    });
    this.#openTimer = options.clock.after(options.openMsMax, () =>
      this.cancel(new HighwaterError('CONNECTION_LOST', 'the server did not accept the stream')),
    );
    this.#incoming.next();
  }

  send(message: Request, sent?: () => void): boolean {
    if (this.#isOver()) return true;
    const parts = this.#method.request.encode(message);
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
    this.#outgoing.end(() => this.#transport.halfClose());
  }

  cancel(error?: HighwaterError): void {
    if (this.#isOver()) return;
    this.#cause = error ?? new HighwaterError('CANCELLED', 'this side cancelled the stream');
    this.#outgoing.stop();
    this.#incoming.stop();
    this.#transport.cancel(statusOf(this.#cause));
  }

  onOpen(): void {
    this.#openTimer.cancel();
  }

  onMessage(bytes: Buffer): void {
    this.#incoming.arrived(bytes);
  }

  onStatus(status: RpcStatus, wasSent: boolean): void {
    this.#outgoing.stop();
    if (this.#cause !== undefined) this.#close(this.#cause);
    else if (status.code === 0) this.#incoming.end(() => this.#close(undefined));
    else this.#close(errorOf(status, wasSent));
  }

  #isOver(): boolean {
    return this.#isClosed || this.#cause !== undefined;
  }

  #close(error: HighwaterError | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#openTimer.cancel();
    this.#incoming.stop();
    this.#call(() => this.#handlers.onClose(error));
    this.#options.onClosed(this);
  }

  /** A handler that throws has lost its place in the stream: the stream ends. */
  #call(run: () => void): void {
    const failure = guarded(run);
    if (failure === undefined) return;
    if (!isAnswer(failure.thrown)) {
      reportDefect(this.#options.defects, this.#method.path, failure.thrown);
    }
    this.cancel(HighwaterError.from(failure.thrown));
  }
}
