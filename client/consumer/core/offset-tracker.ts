/**
 * What of a partition was handed out, what was handled, and therefore what may be committed: the offset
 * below which everything that was handed out is handled, whatever the order in which it was.
 */
import type { LeaderEpoch, Offset } from '../../../proto/model/offset.ts';
import { offsetAfter } from '../../../proto/model/offset.ts';

/** Everything below `offset` is handled; the last of it was written in `leaderEpoch`. */
export interface HandledUpTo {
  readonly offset: Offset;
  readonly leaderEpoch: LeaderEpoch;
}

interface Begun {
  readonly leaderEpoch: LeaderEpoch;
  readonly beganMs: number;
  isHandled: boolean;
  /** Nobody handles it any more; nothing from it on is ever committed by this tracker. */
  isAbandoned: boolean;
}

export class OffsetTracker {
  /** Records handed out and not below `#handled`, in order of their offsets. */
  readonly #begun = new Map<Offset, Begun>();
  #handled: HandledUpTo | undefined;
  #inFlight = 0;

  /** Records handed out and not handled. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** What may be committed; undefined before anything was handled. */
  get handled(): HandledUpTo | undefined {
    return this.#handled;
  }

  /** When the oldest record that is not handled was handed out. */
  get oldestBeganMs(): number | undefined {
    for (const { isHandled, isAbandoned, beganMs } of this.#begun.values())
      if (!isHandled && !isAbandoned) return beganMs;
    return undefined;
  }

  /** A record is handed out; offsets grow. */
  begin(offset: Offset, leaderEpoch: LeaderEpoch, nowMs: number): void {
    this.#begun.set(offset, { leaderEpoch, beganMs: nowMs, isHandled: false, isAbandoned: false });
    this.#inFlight++;
  }

  /** A record is handled. One that is not known any more changes nothing. */
  finish(offset: Offset): void {
    const record = this.#begun.get(offset);
    if (record === undefined || record.isHandled || record.isAbandoned) return;
    record.isHandled = true;
    this.#inFlight--;
    for (const [first, { isHandled, leaderEpoch }] of this.#begun) {
      if (!isHandled) return;
      this.#begun.delete(first);
      this.#handled = { offset: offsetAfter(first, 1), leaderEpoch };
    }
  }

  /** A record will not be handled here. */
  abandon(offset: Offset): void {
    const record = this.#begun.get(offset);
    if (record === undefined || record.isHandled || record.isAbandoned) return;
    record.isAbandoned = true;
    this.#inFlight--;
  }
}
