/**
 * How far behind a follower is, in time (rules B3.4, B3.6).
 *
 * A follower is caught up as of `t` once it has stored all that the leader had at `t`. The clock is
 * time in which the leader was able to serve: a leader that was paused would otherwise find everybody
 * behind on its first tick, throw them all out, and then die as the only member.
 *
 * A follower without a stream is not caught up, whatever it had stored: it may have found damage in its
 * log and wait to be let go, and where nothing is written nothing else would show it.
 */
import type { NodeId } from '../../../proto/model/ids.ts';
import type { Leader, PartitionState } from './state.ts';

/** Moves each follower's caught-up time along. Once per tick, so times are exact to a tick. */
export function updateLag(state: PartitionState, leader: Leader): void {
  const { end } = state.log;
  const { servedMs } = leader;
  for (const progress of leader.followers.values()) {
    const stored = progress.storedEnd ?? -1;
    if (progress.phase === 'closed' && state.rules.lagsWithoutStream) continue;
    if (stored >= end) progress.caughtUpMs = servedMs;
    else if (stored < progress.mark) continue;
    else if (progress.markMs > progress.caughtUpMs) progress.caughtUpMs = progress.markMs;
    progress.mark = end;
    progress.markMs = servedMs;
  }
}

/** For how long a member has lacked something that the leader had, or has had no stream. */
export function lagMs(state: PartitionState, leader: Leader, node: NodeId): number {
  const progress = leader.followers.get(node);
  // A member that never opened a stream in this epoch lags since the epoch began.
  if (progress === undefined) return leader.servedMs;
  const counts = progress.phase !== 'closed' || !state.rules.lagsWithoutStream;
  if (counts && (progress.storedEnd ?? -1) >= state.log.end) return 0;
  return leader.servedMs - progress.caughtUpMs;
}
