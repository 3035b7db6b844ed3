/**
 * Where a follower must cut its log so that it continues its leader's (rule B2.3, KIP-101 and 279).
 * The leader answers with the largest epoch it knows that is not above the follower's, and where
 * that epoch ended in the leader's log. The follower repeats the question until nothing is cut:
 * after several quick leader changes one answer is not enough.
 */
import type { Offset } from '../../../proto/model/offset.ts';
import { type EpochEnd, type EpochHistory, epochEnd, latestEpoch } from './epoch-history.ts';

/** `agrees`: the follower's log is a prefix of the leader's. `cut`: keep below `to`, then ask again. */
export type TruncationPoint =
  | { readonly kind: 'agrees' }
  | { readonly kind: 'cut'; readonly to: Offset; readonly askAgain: boolean };

/** The follower's own log, as far as the decision needs it. */
export interface FollowerEnd {
  readonly history: EpochHistory;
  readonly logStartOffset: Offset;
  readonly logEndOffset: Offset;
}

/**
 * Decides from the leader's answer; `undefined` means that the leader's history begins above the
 * follower's last epoch, so that nothing the follower has can be vouched for.
 */
export function truncationPoint(own: FollowerEnd, answer: EpochEnd | undefined): TruncationPoint {
  const last = latestEpoch(own.history);
  if (last === undefined) return { kind: 'agrees' };
  if (answer === undefined) return cutTo(own, own.logStartOffset, false);

  const mine = epochEnd(own.history, answer.epoch, own.logEndOffset);
  if (mine === undefined) return cutTo(own, own.logStartOffset, false);

  // The own largest epoch at or below the answer's may be older still: then the leader must be
  // asked about that one, since the two logs may part earlier than where it ends here.
  const to = mine.endOffset < answer.endOffset ? mine.endOffset : answer.endOffset;
  if (mine.epoch === last && answer.epoch === last && to >= own.logEndOffset) {
    return { kind: 'agrees' };
  }
  return cutTo(own, to, mine.epoch !== answer.epoch);
}

function cutTo(own: FollowerEnd, to: Offset, askAgain: boolean): TruncationPoint {
  return { kind: 'cut', to: to < own.logStartOffset ? own.logStartOffset : to, askAgain };
}
