/**
 * A planned move (rule 6.5): the leader stops appending, waits until the successor has stored all
 * it has, and says so; only then does the controller open the round. Nothing acknowledged or waiting
 * is cut, and the gap is one round long.
 */
import type { Effect } from './effects.ts';
import type { HandOverAsked } from './inputs.ts';
import type { Leader, PartitionState } from './state.ts';

/** Begins a hand-over. Asked of anyone but the leader, it is late and ignored. */
export function onHandOverAsked(
  state: PartitionState,
  asked: HandOverAsked,
  effects: Effect[],
): void {
  const { role } = state;
  if (role.kind !== 'leader' || asked.successor === state.self) return;
  const { successor, deadlineMs } = asked;
  role.handOver = { successor, deadlineMs, isReady: false };
  maybeFinishHandOver(state, role, effects);
}

/** The controller thought better of it: append again. */
export function onHandOverCancelled(state: PartitionState): void {
  if (state.role.kind === 'leader') state.role.handOver = undefined;
}

/** Tells once that the successor has stored all there is. */
export function maybeFinishHandOver(
  state: PartitionState,
  leader: Leader,
  effects: Effect[],
): void {
  const { handOver } = leader;
  if (handOver === undefined || handOver.isReady) return;
  const { successor } = handOver;
  const stored = leader.followers.get(successor)?.storedEnd;
  if (stored !== state.log.end || !leader.committed.isr.includes(successor)) return;
  handOver.isReady = true;
  effects.push({ kind: 'hand-over-ready', successor, leaderEpoch: leader.epoch });
}
