/**
 * Which role a replica has, decided by committed metadata alone.
 *
 * Invariants: (1) the epoch of a role is never above that of the metadata; (2) once "epoch + 1, no
 * leader" was applied, nothing is taken from, sent to or acknowledged under a lower epoch: that is
 * the promise on which elections rest (rule 6.5).
 */
import type { LeaderEpoch } from '../../../proto/model/offset.ts';
import type { Effect } from './effects.ts';
import { becomeFollower } from './follower.ts';
import type { PromiseAsked } from './inputs.ts';
import { adoptCommitted } from './isr.ts';
import { advance, becomeLeader, stepDown } from './leader.ts';
import type { PartitionMetadata } from './metadata.ts';
import { forgetFormer } from './progress.ts';
import { maybePropose } from './proposals.ts';
import type { PartitionState } from './state.ts';

/** Applies committed facts: a new role where the epoch changed, else changes of the in-sync set. */
export function onMetadata(
  state: PartitionState,
  metadata: PartitionMetadata,
  effects: Effect[],
): void {
  const before = state.metadata;
  const isOlder = before !== undefined && metadata.partitionEpoch < before.partitionEpoch;
  if (isOlder && state.rules.ignoresOlder) return;
  state.metadata = metadata;
  if (metadata.isr.includes(state.self)) state.isSuspect = false;
  const hasNewRole =
    before === undefined ||
    metadata.leaderEpoch > before.leaderEpoch ||
    metadata.leader !== before.leader;
  if (hasNewRole) takeRole(state, metadata, effects);
  else if (state.role.kind === 'leader') {
    forgetFormer(state.role, metadata, effects);
    if (metadata.partitionEpoch > state.role.committed.partitionEpoch) {
      adoptCommitted(state, state.role, metadata, effects);
    }
    maybePropose(state, state.role, effects);
    advance(state, state.role, effects);
  }
}

/** Answers an open round again: the answer was lost, or the controller is another one. */
export function onPromiseAsked(
  state: PartitionState,
  asked: PromiseAsked,
  effects: Effect[],
): void {
  const metadata = state.metadata;
  if (metadata === undefined || metadata.leader !== undefined) return;
  if (metadata.leaderEpoch === asked.leaderEpoch) answer(state, asked.leaderEpoch, effects);
}

/** Ends the replica's part in everything. What waits is answered as maybe written. */
export function onStop(state: PartitionState, effects: Effect[]): void {
  leaveRole(state, effects);
  state.role = { kind: 'stopped', why: 'stop' };
}

/** Leaves a role in good order: waiters are answered, streams closed (rule B1.11). */
export function leaveRole(state: PartitionState, effects: Effect[]): void {
  const role = state.role;
  if (role.kind === 'leader') stepDown(state, role, effects);
  if (role.kind === 'follower') effects.push({ kind: 'close-stream', stream: role.stream });
}

function takeRole(state: PartitionState, metadata: PartitionMetadata, effects: Effect[]): void {
  const epoch = metadata.leaderEpoch;
  if (metadata.leader === undefined) return promise(state, epoch, effects);
  leaveRole(state, effects);
  if (metadata.leader !== state.self) return becomeFollower(state, metadata.leader, effects);
  if (epoch > state.forfeitedEpoch || !state.rules.forfeitsEpoch) {
    return becomeLeader(state, metadata, effects);
  }
  // An earlier incarnation led this epoch, or the log failed in it: what was pushed to followers may
  // be longer than what is here, so leading on would give one offset two records.
  state.role = { kind: 'promised', epoch };
  effects.push({ kind: 'resign', leaderEpoch: epoch });
  effects.push({ kind: 'event', event: { event: 'may-not-lead', leaderEpoch: epoch } });
}

function promise(state: PartitionState, epoch: LeaderEpoch, effects: Effect[]): void {
  const keepsReporting = state.role.kind === 'follower' && !state.rules.promiseFencesReports;
  if (state.rules.promiseStops && !keepsReporting) {
    leaveRole(state, effects);
    state.role = { kind: 'promised', epoch };
  }
  answer(state, epoch, effects);
  effects.push({
    kind: 'event',
    event: {
      event: 'promised',
      leaderEpoch: epoch,
      verifiedEpoch: state.verifiedEpoch,
      storedEnd: state.log.stored,
    },
  });
}

function answer(state: PartitionState, epoch: LeaderEpoch, effects: Effect[]): void {
  effects.push({
    kind: 'answer-promise',
    leaderEpoch: epoch,
    brokerEpoch: state.brokerEpoch,
    verifiedEpoch: state.rules.answersVerifiedEpoch ? state.verifiedEpoch : lastStoredEpoch(state),
    storedEnd: state.log.stored,
    isSuspect: state.isSuspect,
  });
}

/** What a careless answer would name; it loses Raft's figure 8. */
function lastStoredEpoch(state: PartitionState): LeaderEpoch {
  const last = state.log.history.findLast((entry) => entry.startOffset < state.log.stored);
  return last?.epoch ?? state.verifiedEpoch;
}
