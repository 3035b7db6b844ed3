/** Calls over one connection, whichever transport carries them: what the port calls a channel. */
import { type ErrorOutcome, HighwaterError } from '../../model/errors.ts';
import { limits } from '../../model/limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type {
  CallOptions,
  RpcChannel,
  RpcHeaders,
  RpcStream,
  RpcStreamHandlers,
  StreamMethod,
  UnaryMethod,
} from '../../ports/rpc.ts';
import { ClientStream } from './client-stream.ts';
import { ClientUnary, encodedRequest } from './client-unary.ts';
import type { DefectSink } from './defects.ts';
import type { OpenCall } from './transport.ts';

export interface CallChannelOptions {
  readonly address: string;
  readonly clock: Clock;
  readonly defects: DefectSink;
  readonly open: OpenCall;
  /** Closes the connection; all calls are over by then. Always returns. */
  readonly closeConnection: () => Promise<void>;
}

interface OpenOne {
  cancel(error: HighwaterError): void;
}

/** A channel over any transport: keeps the set of open calls, so that `close` can end them. */
export class CallChannel implements RpcChannel {
  readonly address: string;
  readonly #options: CallChannelOptions;
  readonly #open = new Set<OpenOne>();
  #onIdle: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: CallChannelOptions) {
    this.address = options.address;
    this.#options = options;
  }

  async unary<Request, Response>(
    method: UnaryMethod<Request, Response>,
    request: Request,
    options: CallOptions,
  ): Promise<Response> {
    if (this.#closing !== undefined) throw closed('not-written');
    if (options.signal?.aborted === true) {
      throw new HighwaterError('CANCELLED', 'the caller gave up before the call', {
        outcome: 'not-written',
      });
    }
    const call = new ClientUnary(method, encodedRequest(method, request), {
      open: this.#options.open,
      clock: this.#options.clock,
      call: options,
      onClosed: (one) => this.#forget(one),
    });
    this.#open.add(call);
    return call.promise;
  }

  stream<Request, Response>(
    method: StreamMethod<Request, Response>,
    handlers: RpcStreamHandlers<Response>,
    options: { readonly headers?: RpcHeaders } = {},
  ): RpcStream<Request> {
    if (this.#closing !== undefined) {
      queueMicrotask(() => handlers.onClose(closed('not-written')));
      return closedStream;
    }
    const stream = new ClientStream(method, handlers, {
      open: this.#options.open,
      clock: this.#options.clock,
      defects: this.#options.defects,
      headers: options.headers ?? {},
      openMsMax: limits.rpcOpenMsMax,
      onClosed: (one) => this.#forget(one),
    });
    this.#open.add(stream);
    return stream;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const idle = new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
    if (this.#open.size === 0) this.#onIdle?.();
    for (const one of this.#open) one.cancel(closed('maybe-written'));
    await idle;
    await this.#options.closeConnection();
  }

  #forget(one: OpenOne): void {
    this.#open.delete(one);
    if (this.#open.size === 0) this.#onIdle?.();
  }
}

function closed(outcome: ErrorOutcome): HighwaterError {
  return new HighwaterError('CLOSED', 'the channel is closed', { outcome });
}

/** Stands for a stream of a closed channel: everything is ignored. */
const closedStream: RpcStream<unknown> = {
  send: () => true,
  pause() {},
  resume() {},
  end() {},
  cancel() {},
};
