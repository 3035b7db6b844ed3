/** One callback that virtual time owes somebody: what the queue holds and what cancels it, in one object. */
import type { Timer } from '../clock.ts';
import type { QueuedEvent } from './event-queue.ts';
import type { VirtualClock } from './virtual-clock.ts';

export class VirtualEvent implements QueuedEvent, Timer {
  readonly at: number;
  readonly sequence: number;
  readonly owner: VirtualClock;
  /** Undefined once it was called or cancelled; a cancelled event stays queued until it is due or pruned. */
  #callback: (() => void) | undefined;
  /** Told of a cancel while the event is queued; undefined once it has left the queue. */
  #onCancel: (() => void) | undefined;

  constructor(
    at: number,
    sequence: number,
    options: {
      readonly owner: VirtualClock;
      readonly callback: () => void;
      readonly onCancel: () => void;
    },
  ) {
    this.at = at;
    this.sequence = sequence;
    this.owner = options.owner;
    this.#callback = options.callback;
    this.#onCancel = options.onCancel;
  }

  /** False once it was called or cancelled. */
  get isWanted(): boolean {
    return this.#callback !== undefined;
  }

  /** It came due and its process stands still: it may still be cancelled. */
  hold(): void {
    this.#onCancel = undefined;
  }

  /** Calls back, once, unless it was cancelled. */
  run(): void {
    const callback = this.#callback;
    this.#callback = undefined;
    callback?.();
  }

  cancel(): void {
    if (this.#callback === undefined) return;
    this.#callback = undefined;
    this.#onCancel?.();
  }
}
