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

/** No record. */
const none = -1;

export class OffsetTracker {
  /** Records handed out and not below what is handled, in order of their offsets. Empty while `#sole` is one. */
  readonly #begun = new Map<Offset, Begun>();
  /** The only record under way, as in a loop that takes one after the other: it needs no entry. */
  #sole: Offset | typeof none = none;
  #soleEpoch: LeaderEpoch | typeof none = none;
  #soleBeganMs = 0;
  /** The last handled record below which everything is handled; `none` before there is one. */
  #last: Offset | typeof none = none;
  #lastEpoch: LeaderEpoch | typeof none = none;
  #inFlight = 0;

  /** Records handed out and not handled. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** What may be committed; undefined before anything was handled. */
  get handled(): HandledUpTo | undefined {
    if (this.#last === none || this.#lastEpoch === none) return undefined;
    return { offset: offsetAfter(this.#last, 1), leaderEpoch: this.#lastEpoch };
  }

  /** When the oldest record that is not handled was handed out. */
  get oldestBeganMs(): number | undefined {
    if (this.#sole !== none) return this.#soleBeganMs;
    for (const { isHandled, isAbandoned, beganMs } of this.#begun.values())
      if (!isHandled && !isAbandoned) return beganMs;
    return undefined;
  }

  /** A record is handed out; offsets grow. */
  begin(offset: Offset, leaderEpoch: LeaderEpoch, nowMs: number): void {
    this.#inFlight++;
    if (this.#begun.size === 0 && this.#sole === none) {
      this.#sole = offset;
      this.#soleEpoch = leaderEpoch;
      this.#soleBeganMs = nowMs;
      return;
    }
    this.#enter();
    this.#begun.set(offset, { leaderEpoch, beganMs: nowMs, isHandled: false, isAbandoned: false });
  }

  /** A record is handled. One that is not known any more changes nothing. */
  finish(offset: Offset): void {
    if (offset === this.#sole) {
      this.#inFlight--;
      this.#last = offset;
      this.#lastEpoch = this.#soleEpoch;
      this.#sole = none;
      return;
    }
    const record = this.#begun.get(offset);
    if (record === undefined || record.isHandled || record.isAbandoned) return;
    record.isHandled = true;
    this.#inFlight--;
    for (const [first, { isHandled, leaderEpoch }] of this.#begun) {
      if (!isHandled) return;
      this.#begun.delete(first);
      this.#last = first;
      this.#lastEpoch = leaderEpoch;
    }
  }

  /** A record will not be handled here. */
  abandon(offset: Offset): void {
    this.#enter();
    const record = this.#begun.get(offset);
    if (record === undefined || record.isHandled || record.isAbandoned) return;
    record.isAbandoned = true;
    this.#inFlight--;
  }

  /** One for what is handed out anew behind what is handled. */
  static behind(handled: HandledUpTo | undefined): OffsetTracker {
    const tracker = new OffsetTracker();
    if (handled === undefined) return tracker;
    tracker.#last = offsetAfter(handled.offset, -1);
    tracker.#lastEpoch = handled.leaderEpoch;
    return tracker;
  }

  /** The only record gets an entry like others. */
  #enter(): void {
    if (this.#sole === none || this.#soleEpoch === none) return;
    this.#begun.set(this.#sole, {
      leaderEpoch: this.#soleEpoch,
      beganMs: this.#soleBeganMs,
      isHandled: false,
      isAbandoned: false,
    });
    this.#sole = none;
  }
}
