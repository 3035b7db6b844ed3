/**
 * Waiting within bounds: every wait of the client ends by a clock, a signal or its reason.
 */
import { HighwaterError } from '../../proto/model/errors.ts';
import type { Clock } from '../../proto/ports/clock.ts';
import { listenForAbort } from '../../proto/rpc/call/abort-listener.ts';

/** How long to wait, and who may end the wait. */
export interface WaitBounds {
  readonly clock: Clock;
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** The caller gave up before anything was sent. */
export function cancelledBefore(signal: AbortSignal): HighwaterError {
  return new HighwaterError('CANCELLED', 'the caller gave up', {
    cause: signal.reason,
    outcome: 'not-written',
  });
}

/** Throws if the caller has given up. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw cancelledBefore(signal);
}

/** Resolves after `ms`; rejects with CANCELLED once the signal aborts. */
export function pause(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      timer.cancel();
      reject(signal === undefined ? new Error('unreachable') : cancelledBefore(signal));
    };
    const timer = clock.after(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    if (signal?.aborted === true) onAbort();
    else if (signal !== undefined) listenForAbort(signal, onAbort);
  });
}

/**
 * Calls `start` with a function that ends the wait; what `start` returns is called when the wait is
 * over. True if it was ended, false if the deadline came first. Rejects once the signal aborts.
 */
export function ended(
  bounds: WaitBounds,
  start: (end: () => void) => () => void,
): Promise<boolean> {
  const { clock, deadlineMs, signal } = bounds;
  return new Promise((resolve, reject) => {
    let isOver = false;
    let stop: (() => void) | undefined;
    const over = (settle: () => void): void => {
      if (isOver) return;
      isOver = true;
      timer.cancel();
      signal?.removeEventListener('abort', onAbort);
      stop?.();
      settle();
    };
    const onAbort = (): void => {
      over(() => reject(signal === undefined ? new Error('unreachable') : cancelledBefore(signal)));
    };
    const timer = clock.after(Math.max(0, deadlineMs - clock.now()), () =>
      over(() => resolve(false)),
    );
    if (signal?.aborted === true) {
      onAbort();
      return;
    }
    if (signal !== undefined) listenForAbort(signal, onAbort);
    stop = start(() => over(() => resolve(true)));
    if (isOver) stop();
  });
}

/** Resolves with the promise, or once the caller gives up: who goes on asks which of the two it was. */
export async function untilAborted(
  promise: Promise<void>,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (signal === undefined) return promise;
  await orAborted(promise, signal).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}

/** The promise, or CANCELLED once the caller gives up; what was under way may still be written. */
export function orAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      reject(
        new HighwaterError('CANCELLED', 'the caller gave up', {
          cause: signal.reason,
          outcome: 'maybe-written',
        }),
      );
    };
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
    // What is settled by then has its own outcome.
    if (signal.aborted) queueMicrotask(onAbort);
    else listenForAbort(signal, onAbort);
  });
}
