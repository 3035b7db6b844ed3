/**
 * A call taken over from grpc-js below its Node streams, so that one message at a time is read and
 * back-pressure is exact.
 */
import { Metadata, type ServerInterceptingCallInterface } from '@grpc/grpc-js';
import { HighwaterError } from '../../model/errors.ts';
import type { RpcBytes } from '../../ports/rpc.ts';
import type {
  AcceptCall,
  IncomingCall,
  ServerTransport,
  ServerTransportListener,
} from '../call/transport.ts';
import { type RpcStatus, statusOf } from '../status.ts';
import { type DirectStream, isDirectStream, writeDirectly } from './direct-write.ts';
import { grpcStatusOf, headersOf, trailersOf } from './metadata.ts';
import type { ReceiveBudget, ReceiveShare } from './receive-budget.ts';
import { ropeSupport } from './rope-support.ts';
import type { ServerHttp2Stream } from './server-internals.ts';
import { messageOf } from './write-batch.ts';

const frameHeaderBytes = 5;
const noErrorCode = 0;

/** What a call needs of its server. */
export interface ServerTransportOptions {
  readonly path: string;
  readonly accept: AcceptCall;
  readonly budget: ReceiveBudget;
  /** Undefined if the library does not let us have it. */
  readonly http2Stream: ServerHttp2Stream | undefined;
}

/**
 * The server's end of one call, taken from grpc-js below its Node streams: one message is read at a
 * time, and messages of one turn leave as one write.
 */
export class GrpcServerTransport implements ServerTransport {
  readonly #call: ServerInterceptingCallInterface;
  readonly #options: ServerTransportOptions;
  readonly #share: ReceiveShare;
  readonly #direct: DirectStream | undefined;
  #listener: ServerTransportListener | undefined;
  /** Set by `open`, which only streams call. */
  #isStream = false;
  #hasSentHeaders = false;
  #isHalfClosed = false;
  #isClosed = false;

  constructor(call: ServerInterceptingCallInterface, options: ServerTransportOptions) {
    this.#call = call;
    this.#options = options;
    this.#direct = isDirectStream(options.http2Stream) ? options.http2Stream : undefined;
    this.#share = options.budget.share(() => this.#exceed());
    // Attached after grpc-js has paused the stream, so it does not set the stream flowing.
    options.http2Stream?.on('data', (chunk) => this.#share.received(chunk.length));
    options.http2Stream?.once('close', () => this.#share.release());
  }

  /** Takes the call over; the handler that grpc-js knows for the path is never run. */
  start(): void {
    this.#call.start({
      onReceiveMetadata: (metadata) => {
        this.#listener = this.#options.accept(this.#incoming(metadata), this);
      },
      onReceiveMessage: (message: Buffer) => {
        this.#share.taken(message.length + frameHeaderBytes);
        this.#listener?.onMessage(message);
      },
      onReceiveHalfClose: () => this.#halfClosed(),
      onCancel: () => {
        this.#isClosed = true;
        this.#share.release();
        this.#listener?.onGone();
      },
    });
  }

  open(): void {
    this.#isStream = true;
    this.#hasSentHeaders = true;
    this.#call.sendMetadata(new Metadata());
  }

  /** Read at each batch, and a batch is written in the same turn. */
  get canJoin(): boolean {
    return ropeSupport.isProven;
  }

  write(batch: readonly RpcBytes[], done: () => void): void {
    if (this.#isClosed) return;
    if (this.#direct === undefined) {
      this.#hasSentHeaders = true;
      this.#call.sendMessage(messageOf(batch), done);
      return;
    }
    if (!this.#hasSentHeaders) this.#call.sendMetadata(new Metadata());
    this.#hasSentHeaders = true;
    writeDirectly(this.#direct, batch, done);
  }

  read(): void {
    if (!this.#isClosed) this.#call.startRead();
  }

  close(status: RpcStatus): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#call.sendStatus({
      code: grpcStatusOf(status.code),
      details: status.message,
      metadata: trailersOf(status),
    });
    if (!this.#isHalfClosed) this.#resetAfterStatus();
  }

  /**
   * A caller that has its status may still send: its stream, and what was received in part, would stay
   * for as long as it likes. HTTP/2 lets a server reset the stream once its answer is complete.
   */
  #resetAfterStatus(): void {
    const stream = this.#options.http2Stream;
    if (stream === undefined) return;
    const reset = () =>
      setImmediate(() => {
        if (!stream.destroyed && !stream.closed) stream.close(noErrorCode);
      });
    // A status without anything before it leaves as one header block: there are no trailers to wait for.
    if (this.#hasSentHeaders) stream.once('wantTrailers', reset);
    else reset();
  }

  /**
   * A caller that cancels ends its side and resets the stream in one write, and a connection that
   * breaks ends it too: only an end that no reset follows at once is the end of the messages. A unary
   * call need not wait, since its request is complete either way.
   */
  #halfClosed(): void {
    const deliver = () => {
      if (this.#isClosed || this.#options.http2Stream?.aborted === true) return;
      this.#isHalfClosed = true;
      this.#listener?.onHalfClose();
    };
    if (this.#isStream) setImmediate(deliver);
    else deliver();
  }

  #exceed(): void {
    const error = new HighwaterError('OVERLOADED', 'the server holds too many unfinished messages');
    this.close(statusOf(error));
    this.#share.release();
    this.#listener?.onGone();
  }

  #incoming(metadata: Metadata): IncomingCall {
    const deadline = this.#call.getDeadline();
    const at = typeof deadline === 'number' ? deadline : deadline.getTime();
    return {
      path: this.#options.path,
      headers: headersOf(metadata),
      remote: this.#call.getPeer(),
      certificateSubject: subjectOf(this.#call),
      deadlineMs: at === Number.POSITIVE_INFINITY ? undefined : Math.max(0, at - Date.now()),
    };
  }
}

/** `CN=alice,O=example`: the subject of a certificate that was verified in the handshake. */
function subjectOf(call: ServerInterceptingCallInterface): string | undefined {
  const subject = call.getAuthContext().sslPeerCertificate?.subject;
  if (subject === undefined) return undefined;
  return Object.entries(subject)
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(',');
}
