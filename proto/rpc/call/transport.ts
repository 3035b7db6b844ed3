/**
 * What a call needs of the wire below it, on each side. gRPC and the in-memory twin implement these
 * four interfaces and nothing else; streams, unary calls, deadlines and bounds are written once above.
 *
 * Rules for an implementation: nothing is called back before the call that asked for it has returned,
 * except that a message or an end that is there already may come from within `read`; messages arrive
 * in order, one for each `read`; after `onStatus` or `onGone` nothing more comes.
 */
import type { RpcBytes, RpcHeaders } from '../../ports/rpc.ts';
import type { RpcStatus } from '../status.ts';

/** The half that both sides share. */
export interface CallTransport {
  /** False: a batch has one message only. */
  readonly canJoin: boolean;
  /**
   * Sends the messages of a batch in order; `done` is called when they have left, in the order of the
   * batches, and never after the call is over. Once the first is done, several may be under way.
   */
  write(batch: readonly RpcBytes[], done: () => void): void;
  /** Asks for one more message, or for the end of the messages. One at a time. */
  read(): void;
}

/** The caller's end of a call. */
export interface ClientTransport extends CallTransport {
  /** The request is complete with what was written before. */
  halfClose(): void;
  /** Ends the call here and there at once; `onStatus` follows. */
  cancel(status: RpcStatus): void;
}

export interface ClientTransportListener {
  /** The server has accepted the call. Not called for calls that it refuses. */
  onOpen(): void;
  onMessage(bytes: Buffer): void;
  /**
   * The last event. Success comes after the last message; an error may drop messages not yet read.
   * `wasSent` false: surely no byte of the request left this process.
   */
  onStatus(status: RpcStatus, wasSent: boolean): void;
}

/** The server's end of a call. */
export interface ServerTransport extends CallTransport {
  /** Tells the caller that the call is accepted, before there is a message to send. */
  open(): void;
  /** Ends the call with a status after what was written. `onGone` follows once it is delivered. */
  close(status: RpcStatus): void;
}

export interface ServerTransportListener {
  onMessage(bytes: Buffer): void;
  /** The caller sends no more; comes in answer to a `read`, after its last message. */
  onHalfClose(): void;
  /** The last event: the caller has the status, or it is gone. */
  onGone(): void;
}

/** A call as its caller asks for it. */
export interface OutgoingCall {
  readonly path: string;
  readonly headers: RpcHeaders;
  /** Told to the server; the caller keeps watch of it by itself. */
  readonly deadlineMs: number | undefined;
}

export type OpenCall = (call: OutgoingCall, listener: ClientTransportListener) => ClientTransport;

/** A call as its server sees it. */
export interface IncomingCall {
  readonly path: string;
  readonly headers: RpcHeaders;
  readonly remote: string;
  readonly certificateSubject: string | undefined;
  /** What the caller allows; undefined if it did not say. */
  readonly deadlineMs: number | undefined;
}

export type AcceptCall = (
  call: IncomingCall,
  transport: ServerTransport,
) => ServerTransportListener;
