/**
 * What becomes of proposals: the committed sets change only by what the controllers committed.
 *
 * Invariant: the maximal ISR covers every set that is, or may yet become, the committed one. So a
 * refusal takes a proposal back, an unknown outcome does not (rule B3.2), and a partition epoch that
 * is not greater than the known one is late (rule B3.5).
 */
import type { Effect } from './effects.ts';
import type { ProposalAnswered } from './inputs.ts';
import { advance } from './leader.ts';
import { maybePropose, pauseProposals, reaffirm } from './proposals.ts';
import type { CommittedIsr, Leader, PartitionState } from './state.ts';
import { failQueue } from './waiters.ts';

/** The controller answered the proposal that is pending, or nobody did. */
export function onProposalAnswered(
  state: PartitionState,
  answered: ProposalAnswered,
  effects: Effect[],
): void {
  const leader = state.role;
  if (leader.kind !== 'leader') return;
  const { pending, committed } = leader;
  if (pending === undefined || pending.proposal.proposal !== answered.proposal) return;
  const { answer } = answered;
  if (answer.kind === 'accepted') {
    if (answer.partitionEpoch <= committed.partitionEpoch && state.rules.ignoresOlder) return;
    adoptCommitted(state, leader, answer, effects);
    maybePropose(state, leader, effects);
    return advance(state, leader, effects);
  }
  pauseProposals(leader);
  if (answer.kind === 'unknown') {
    pending.outcome = 'unknown';
  } else if (answer.partitionEpoch > committed.partitionEpoch) {
    // The controller is ahead, perhaps by an earlier attempt of this very change.
    pending.outcome = 'outdated';
  } else if (pending.isUncertain) {
    reaffirm(state, leader, effects);
  } else {
    leader.pending = undefined;
    advance(state, leader, effects);
  }
}

/** Takes over what was committed under a greater partition epoch; nothing older can follow it. */
export function adoptCommitted(
  state: PartitionState,
  leader: Leader,
  committed: CommittedIsr,
  effects: Effect[],
): void {
  const { partitionEpoch, isr, semiSyncMembers, semiSyncReplicas } = committed;
  leader.committed = { partitionEpoch, isr, semiSyncMembers, semiSyncReplicas };
  leader.pending = undefined;
  effects.push({ kind: 'event', event: { event: 'isr-changed', isr, semiSyncMembers } });
  const minimum = state.metadata?.settings.minInsyncReplicas ?? 1;
  if (isr.length < minimum && state.rules.tellsBelowMinimum) {
    // The watermark rests until somebody joins: say so at once rather than by a timeout (rule B1.6).
    failQueue(leader.waiting.all, 'NOT_ENOUGH_REPLICAS_AFTER_APPEND', effects);
  }
}
