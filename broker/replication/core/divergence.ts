/**
 * Where two logs part, told from their epoch histories alone (rule B2.3, KIP-101 and KIP-279).
 *
 * The histories are those of the logs (`log/core/epoch-history.ts`); the last epoch ends at the log's end.
 * The watermark plays no part: it lags behind what is committed, so cutting there loses records.
 */
import type { LeaderEpoch, Offset } from '../../../proto/model/offset.ts';
import type { EpochHistory } from '../../log/core/epoch-history.ts';

/** A log as far as divergence is concerned. */
export interface EpochView {
  readonly history: EpochHistory;
  readonly end: Offset;
}

/** An epoch and its exclusive end in some log; the epoch is undefined where the log has none so low. */
export interface EpochEnd {
  readonly epoch: LeaderEpoch | undefined;
  readonly endOffset: Offset;
}

/** The epoch of a log's last record, or undefined if it has none. */
export function lastEpoch(log: EpochView): LeaderEpoch | undefined {
  return log.history.at(-1)?.epoch;
}

/**
 * The largest epoch of the log that is not above `epoch`, and where it ends. Without one the answer
 * is where the first epoch begins: everything before that is unknown here.
 */
export function epochEnd(log: EpochView, epoch: LeaderEpoch | undefined): EpochEnd {
  let found: LeaderEpoch | undefined;
  for (const entry of log.history) {
    if (epoch === undefined || entry.epoch > epoch) {
      return { epoch: found, endOffset: entry.startOffset };
    }
    found = entry.epoch;
  }
  return { epoch: found, endOffset: log.end };
}

/** What a leader says to a follower whose log ends at `logEnd` in `lastEpoch`. */
export type Agreement =
  | { readonly kind: 'agree' }
  | { readonly kind: 'diverged'; readonly at: EpochEnd };

/**
 * Compares a follower's tail with the leader's log. Only a leader of the same epoch may (B2.4).
 *
 * A follower without records has nothing that could differ, wherever its log begins: what lay below was
 * committed and is deleted there, though perhaps not here.
 */
export function compareTail(
  leader: EpochView,
  followerLastEpoch: LeaderEpoch | undefined,
  followerEnd: Offset,
): Agreement {
  if (followerLastEpoch === undefined) {
    if (followerEnd <= leader.end) return { kind: 'agree' };
    return { kind: 'diverged', at: { epoch: undefined, endOffset: leader.end } };
  }
  const at = epochEnd(leader, followerLastEpoch);
  const agrees = at.epoch === followerLastEpoch && followerEnd <= at.endOffset;
  return agrees ? { kind: 'agree' } : { kind: 'diverged', at };
}

/**
 * Where a follower cuts after a `diverged` answer. Where it has the named epoch too, at the smaller of
 * both ends. Where it has not, its own largest epoch below is all that may agree, and that is asked for
 * next: the leader's end would lie anywhere in it, perhaps inside a batch (KIP-279).
 */
export function truncationPoint(follower: EpochView, leaderSays: EpochEnd): Offset {
  const own = epochEnd(follower, leaderSays.epoch);
  if (own.epoch !== leaderSays.epoch) return own.endOffset;
  return own.endOffset < leaderSays.endOffset ? own.endOffset : leaderSays.endOffset;
}
