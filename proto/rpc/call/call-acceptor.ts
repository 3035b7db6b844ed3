/**
 * The server's side of all calls, over any transport: finds the handler, gives it its context, keeps
 * the set of open calls and lets them drain.
 *
 * Invariant: every call that is accepted leaves the set when it is over, in whatever way.
 */
import { HighwaterError } from '../../model/errors.ts';
import { limits } from '../../model/limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RpcCallContext } from '../../ports/rpc.ts';
import type { HandlerTable } from '../handler-table.ts';
import { statusOf } from '../status.ts';
import type { DefectSink } from './defects.ts';
import { ServerStream } from './server-stream.ts';
import { ServerUnary } from './server-unary.ts';
import type { IncomingCall, ServerTransport, ServerTransportListener } from './transport.ts';

export interface CallAcceptorOptions {
  readonly handlers: HandlerTable;
  readonly clock: Clock;
  readonly defects: DefectSink;
  /** Server-enforced deadline of a unary call that asked for none or for more. */
  readonly unaryDeadlineMsMax?: number;
}

interface OpenCallEntry {
  readonly cancel: (error: HighwaterError) => void;
  readonly abort: AbortController;
}

export class CallAcceptor {
  readonly #options: CallAcceptorOptions;
  readonly #open = new Map<object, OpenCallEntry>();
  #isDraining = false;
  #onIdle: (() => void)[] = [];

  constructor(options: CallAcceptorOptions) {
    this.#options = options;
  }

  get openCount(): number {
    return this.#open.size;
  }

  accept(call: IncomingCall, transport: ServerTransport): ServerTransportListener {
    const entry = this.#options.handlers.find(call.path);
    if (this.#isDraining) return refuse(transport, shuttingDown());
    if (entry === undefined) {
      return refuse(
        transport,
        new HighwaterError('UNSUPPORTED_VERSION', `this server has no method ${call.path}`),
      );
    }
    const abort = new AbortController();
    const shared = {
      defects: this.#options.defects,
      onClosed: (one: object, error: HighwaterError | undefined) => this.#forget(one, error),
    };
    if (entry.kind === 'unary') {
      const context = this.#context(call, abort.signal, this.#unaryDeadlineMs(call));
      const options = { ...shared, context, clock: this.#options.clock };
      const unary = new ServerUnary(entry.method, entry.handler, transport, options);
      this.#open.set(unary, { cancel: (error) => unary.cancel(error), abort });
      return unary;
    }
    const context = this.#context(call, abort.signal, call.deadlineMs ?? Number.POSITIVE_INFINITY);
    const stream = new ServerStream(entry.method, transport, { ...shared, context });
    this.#open.set(stream, { cancel: (error) => stream.cancel(error), abort });
    transport.open();
    stream.start(entry.handler);
    return stream;
  }

  /** Every call from here on is refused with SHUTTING_DOWN, which is definite. */
  drain(): void {
    this.#isDraining = true;
  }

  /** Resolves when no call is open, or when the time is over. */
  idleWithin(ms: number): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(ms, resolve);
      this.#onIdle.push(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  /** Ends what is still open with SHUTTING_DOWN; what was asked for may have been done. */
  endAll(): void {
    const error = shuttingDown('maybe-written');
    for (const entry of this.#open.values()) entry.cancel(error);
  }

  #context(call: IncomingCall, signal: AbortSignal, deadlineMs: number): RpcCallContext {
    const { headers, remote, certificateSubject } = call;
    return { headers, remote, certificateSubject, signal, deadlineMs };
  }

  #unaryDeadlineMs(call: IncomingCall): number {
    const most = this.#options.unaryDeadlineMsMax ?? limits.rpcUnaryDeadlineMsMax;
    return Math.max(0, Math.min(most, call.deadlineMs ?? most));
  }

  #forget(one: object, error: HighwaterError | undefined): void {
    const entry = this.#open.get(one);
    this.#open.delete(one);
    if (error !== undefined) entry?.abort.abort(error);
    if (this.#open.size > 0) return;
    const waiting = this.#onIdle;
    this.#onIdle = [];
    for (const resolve of waiting) resolve();
  }
}

/** A call that never reaches a handler. */
function refuse(transport: ServerTransport, error: HighwaterError): ServerTransportListener {
  transport.close(statusOf(error));
  return { onMessage() {}, onHalfClose() {}, onGone() {} };
}

function shuttingDown(outcome: 'not-written' | 'maybe-written' = 'not-written'): HighwaterError {
  return new HighwaterError('SHUTTING_DOWN', 'the server is stopping', { outcome });
}
