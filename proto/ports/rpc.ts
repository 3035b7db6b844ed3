import type { HighwaterError } from '../model/errors.ts';

/**
 * Remote calls between clients and brokers, as both sides see them. Two implementations: gRPC
 * (proto/rpc) and an in-memory twin on virtual time that encodes and decodes for real and can lose,
 * delay and cut. Nothing outside proto/rpc knows which one it talks to.
 *
 * Errors are `HighwaterError` on both sides: a handler throws one, the caller's promise rejects
 * with one of the same code and facts.
 */
export interface RpcCodec<Message> {
  /** May return parts instead of one buffer, so that a payload is framed without a copy. */
  encode(message: Message): RpcBytes;
  /** Throws on anything malformed. Byte fields are views of `bytes`, not copies. */
  decode(bytes: Buffer): Message;
}

/** One encoded message: its parts in order. They are sent as they are and must not change until sent. */
export type RpcBytes = readonly Uint8Array[];

export interface UnaryMethod<Request, Response> {
  readonly kind: 'unary';
  /** `/highwater.v1.AdminService/CreateTopic` */
  readonly path: string;
  readonly request: RpcCodec<Request>;
  readonly response: RpcCodec<Response>;
}

/** A long-lived stream in both directions. */
export interface StreamMethod<Request, Response> {
  readonly kind: 'stream';
  readonly path: string;
  readonly request: RpcCodec<Request>;
  readonly response: RpcCodec<Response>;
}

/** Headers of a call: lower-case keys, printable ASCII values. Carries the bearer token. */
export type RpcHeaders = Readonly<Record<string, string>>;

export interface CallOptions {
  /** Required: no call waits for ever. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
  readonly headers?: RpcHeaders;
}

/** One connection to one address, re-established when needed. */
export interface RpcChannel {
  readonly address: string;
  unary<Request, Response>(
    method: UnaryMethod<Request, Response>,
    request: Request,
    options: CallOptions,
  ): Promise<Response>;
  /** Opens a stream. Handlers are called in order, never re-entrantly from `send`. */
  stream<Request, Response>(
    method: StreamMethod<Request, Response>,
    handlers: RpcStreamHandlers<Response>,
    options?: { readonly headers?: RpcHeaders },
  ): RpcStream<Request>;
  /** Fails everything open with CLOSED. Always returns. */
  close(): Promise<void>;
}

export interface RpcStreamHandlers<Incoming> {
  /** One message. What is sent while this side is paused fills the window of its peer. */
  onMessage(message: Incoming): void;
  /**
   * On a server: the caller sends no more. Without this handler the server's side ends as well, once
   * what it has queued is sent.
   */
  onEnd?(): void;
  /** `send` returned false and there is room again. */
  onDrain?(): void;
  /** Called exactly once, last; without an error after an orderly end of both sides. */
  onClose(error: HighwaterError | undefined): void;
}

/** One side of an open stream. */
export interface RpcStream<Outgoing> {
  /**
   * Queues a message. False: the bound of unsent bytes is reached, wait for `onDrain`; the message
   * itself is accepted. Sending on a closed stream is ignored, since `onClose` has told.
   * `sent` is called once nothing here refers to the message any more; never, if the stream ends before.
   */
  send(message: Outgoing, sent?: () => void): boolean;
  /** Stops the delivery of messages after those already handed over; the peer's window fills up. */
  pause(): void;
  resume(): void;
  /** No more messages from this side. On a server it is the orderly end of the whole stream. */
  end(): void;
  /** Ends both sides at once. On a server the error travels to the caller as its status. */
  cancel(error?: HighwaterError): void;
}

/** What a server knows of a caller. */
export interface RpcCallContext {
  readonly headers: RpcHeaders;
  /** Remote address for logs, never for decisions. */
  readonly remote: string;
  /** Subject of a verified client certificate, if any. */
  readonly certificateSubject: string | undefined;
  /** Aborted when the caller has gone, cancelled or exceeded its deadline. */
  readonly signal: AbortSignal;
  /** Milliseconds left until the caller's or the server's deadline. */
  readonly deadlineMs: number;
}

export type UnaryHandler<Request, Response> = (
  request: Request,
  context: RpcCallContext,
) => Promise<Response>;

/** Called once per opened stream; returns the handlers for what the caller sends. */
export type StreamHandler<Request, Response> = (
  stream: RpcStream<Response>,
  context: RpcCallContext,
) => RpcStreamHandlers<Request>;

/** Collects handlers; the composition root binds it to an address. */
export interface RpcRegistry {
  unary<Request, Response>(
    method: UnaryMethod<Request, Response>,
    handler: UnaryHandler<Request, Response>,
  ): void;
  stream<Request, Response>(
    method: StreamMethod<Request, Response>,
    handler: StreamHandler<Request, Response>,
  ): void;
}

export interface RpcServer extends RpcRegistry {
  /** Starts to listen; resolves to the bound port. All handlers are registered before. */
  listen(host: string, port: number): Promise<number>;
  /** Refuses new calls, lets open ones finish for `graceMs`, then ends them. Always returns. */
  stop(graceMs: number): Promise<void>;
}

/** Opens channels. A `purpose` of its own gets a connection of its own: bulk flows one way on each. */
export interface RpcConnector {
  connect(address: string, purpose: string): RpcChannel;
}
