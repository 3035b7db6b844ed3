/**
 * The watermark is the offset below which every member of the maximal ISR has stored every record.
 * Consumers never read at or above it, and an ack at `all` is its passing.
 *
 * Invariants: (1) it never regresses within an epoch (rule B1.7); (2) log start <= watermark <= log
 * end; (3) it moves only while the committed ISR is at least the minimum (rule B1.2), and only on
 * reports that reach the start of the leader's epoch: until then a newer leader could be elected
 * from replicas that lack what was counted.
 */
import type { NodeId } from '../../../proto/model/ids.ts';
import type { Offset } from '../../../proto/model/offset.ts';
import type { Effect } from './effects.ts';
import type { Leader, PartitionState } from './state.ts';

/** Moves a leader's watermark as far as the reports allow. */
export function advanceWatermark(state: PartitionState, leader: Leader, effects: Effect[]): void {
  const { committed, pending } = leader;
  const minimum = state.metadata?.settings.minInsyncReplicas ?? 1;
  if (state.rules.needsMinInsync && committed.isr.length < minimum) return;
  const waitedFor = state.rules.waitsForMaximalIsr ? pending?.maximalIsr : undefined;
  let lowest: Offset | undefined;
  for (const node of waitedFor ?? committed.isr) {
    const end = countedEnd(state, leader, node);
    if (end === undefined) return; // Not heard from in this epoch: it may lack anything.
    if (lowest === undefined || end < lowest) lowest = end;
  }
  if (lowest !== undefined) raiseWatermark(state, lowest, effects);
}

/** Raises the watermark to at most the log's end. A lower offer is late and changes nothing. */
export function raiseWatermark(state: PartitionState, offered: Offset, effects: Effect[]): void {
  const reached = offered < state.log.end ? offered : state.log.end;
  if (reached === state.watermark) return;
  if (reached < state.watermark && state.rules.raisesWatermark) return;
  state.watermark = reached;
  effects.push({ kind: 'watermark', offset: reached });
}

/**
 * What a replica has stored as far as it counts for acks: reported in this epoch, at or above its
 * start. The leader's own end counts once it has stored all that it was elected with.
 */
export function countedEnd(
  state: PartitionState,
  leader: Leader,
  node: NodeId,
): Offset | undefined {
  if (node !== state.self) return leader.followers.get(node)?.storedEnd;
  const isVerified = state.verifiedEpoch >= leader.epoch;
  return isVerified || !state.rules.countsFromEpochStart ? state.log.stored : undefined;
}
