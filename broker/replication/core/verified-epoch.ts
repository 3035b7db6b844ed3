/**
 * The verified epoch is the highest leader epoch in which this replica's stored log has reached the
 * epoch's start: the leader's log end at its election (rule 6.5).
 *
 * It is what elections compare first, and two simpler choices lose records. The epoch of the last
 * record: a leader that appends nothing may acknowledge records of older epochs, and a replica with a
 * younger unacknowledged one would beat the holders (Raft's figure 8). The epoch at the opening of
 * the stream: a follower that agreed on a prefix and has not fetched the rest would beat them too.
 *
 * Invariant: it is durable before the first report that counts in its epoch.
 */
import type { LeaderEpoch, Offset } from '../../../proto/model/offset.ts';
import type { Effect } from './effects.ts';
import type { PartitionState } from './state.ts';

/** Has the epoch made durable once the stored log reaches its start; at most once for each epoch. */
export function maybeVerify(
  state: PartitionState,
  epoch: LeaderEpoch,
  epochStart: Offset,
  effects: Effect[],
): void {
  if (epoch <= state.persistingEpoch) return;
  if (state.log.stored < epochStart && state.rules.verifiedAtEpochStart) return;
  state.persistingEpoch = epoch;
  effects.push({ kind: 'persist-verified-epoch', epoch });
}
