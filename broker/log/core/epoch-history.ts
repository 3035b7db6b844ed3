/**
 * Which leader epoch wrote which part of a log: epoch → the offset at which it began. Truncation is
 * decided by this history and never by the watermark (rule B2.3), so it must agree with the log:
 * it is kept with the log's checkpoint and what lies above that is read again from the batches.
 *
 * Invariants: (1) epochs and starts both rise, epochs strictly;
 *             (2) a start is never above the log end offset.
 * An epoch that wrote nothing and was followed by another at the same start stays in the history:
 * a follower may have been told of it.
 */
import { invariant } from '../../../proto/model/invariant.ts';
import type { LeaderEpoch, Offset } from '../../../proto/model/offset.ts';

/** One epoch and the log end offset of its leader at its election. */
export interface EpochStart {
  readonly epoch: LeaderEpoch;
  readonly startOffset: Offset;
}

/** Oldest first. */
export type EpochHistory = readonly EpochStart[];

/**
 * The history once `epoch` begins at `startOffset`; the same history if it has begun already.
 *
 * A leader that wrote nothing leaves its epoch without records. If it then follows one that never heard
 * of them, older records may come to lie there, and that epoch is gone as if it had never been.
 */
export function beginEpoch(
  history: EpochHistory,
  epoch: LeaderEpoch,
  startOffset: Offset,
): EpochHistory {
  const last = history.at(-1);
  if (last !== undefined && last.epoch > epoch && last.startOffset === startOffset)
    return beginEpoch(history.slice(0, -1), epoch, startOffset);
  if (last !== undefined) {
    if (last.epoch === epoch) return history;
    invariant(last.epoch < epoch, `epochs rise along a log: ${epoch} after ${last.epoch}`);
    invariant(last.startOffset <= startOffset, 'epoch starts do not fall along a log');
  }
  return [...history, { epoch, startOffset }];
}

/** The epoch of the last record or of the leader that last began here; undefined for a fresh log. */
export function latestEpoch(history: EpochHistory): LeaderEpoch | undefined {
  return history.at(-1)?.epoch;
}

/** The epoch in whose stretch an offset lies; undefined if the history begins above it. */
export function epochAt(history: EpochHistory, at: Offset): LeaderEpoch | undefined {
  for (let index = history.length - 1; index >= 0; index--) {
    const entry = history[index];
    if (entry !== undefined && entry.startOffset <= at) return entry.epoch;
  }
  return undefined;
}

/**
 * The history of a log cut to `end`: epochs that began at or above the cut are gone, as if they had
 * never been (rule B2.6: also when nothing of the log itself was cut).
 */
export function truncateEpochs(history: EpochHistory, end: Offset): EpochHistory {
  const kept = history.filter((entry) => entry.startOffset < end);
  return kept.length === history.length ? history : kept;
}

/** The history of a log whose records below `start` are gone: the epoch at `start` begins there. */
export function trimEpochs(history: EpochHistory, start: Offset): EpochHistory {
  let first = 0;
  for (let index = 1; index < history.length; index++) {
    const entry = history[index];
    if (entry !== undefined && entry.startOffset <= start) first = index;
  }
  const head = history[first];
  if (head === undefined || (first === 0 && head.startOffset >= start)) return history;
  const startOffset = head.startOffset > start ? head.startOffset : start;
  return [{ epoch: head.epoch, startOffset }, ...history.slice(first + 1)];
}
