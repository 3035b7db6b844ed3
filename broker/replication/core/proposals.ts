/**
 * Which change of the committed sets a leader asks for, one at a time.
 *
 * Invariants: (1) a proposal names the epochs and the incarnations it was judged on, so the controller
 * compares and sets (rules B3.2, B3.3); (2) from the moment it is proposed its ISR is part of the
 * maximal ISR, until the outcome is known (rule B1.1); (3) a proposal whose outcome is unknown is
 * followed by the same one, or by one that outdates it, never by silence.
 */
import type { NodeId } from '../../../proto/model/ids.ts';
import { brokerEpoch } from '../../../proto/model/offset.ts';
import type { Effect, IsrProposal } from './effects.ts';
import { lagMs } from './lag.ts';
import { semiSyncNeed } from './semi-sync.ts';
import type { Leader, PartitionState, PendingIsr } from './state.ts';

/** Time between a refused or lost proposal and the next one. */
const pauseMs = 100;

/** Proposes what is needed most: members that caught up, then the semi-sync set. */
export function maybePropose(state: PartitionState, leader: Leader, effects: Effect[]): void {
  if (leader.pending !== undefined || leader.nowMs < leader.proposeAfterMs) return;
  const { isr } = leader.committed;
  const added = joiners(state, leader);
  if (added.length > 0) {
    const { watermark } = state;
    effects.push({ kind: 'event', event: { event: 'isr-expand-proposed', added, watermark } });
    return propose(state, leader, { kind: 'expand', isr: [...isr, ...added] }, effects);
  }
  const need = semiSyncNeed(state, leader);
  if (need !== undefined) propose(state, leader, { kind: need, isr }, effects);
}

/** On a tick: ask again what had no answer, and propose to remove who lags (rule B3.6). */
export function onProposalTick(state: PartitionState, leader: Leader, effects: Effect[]): void {
  const { pending } = leader;
  if (pending !== undefined) {
    if (pending.outcome !== 'unknown' || leader.nowMs < leader.proposeAfterMs) return;
    // The same incarnations as before: a member that has restarted since was never judged.
    const members = pending.proposal.isr;
    const isr = members.map(({ nodeId }) => nodeId);
    return propose(state, leader, { kind: pending.kind, isr, members }, effects);
  }
  if (leader.nowMs < leader.proposeAfterMs) return;
  const lagMax = state.metadata?.settings.lagTimeMaxMs ?? Infinity;
  const { isr } = leader.committed;
  const removed = isr.filter((node) => node !== state.self && lagMs(state, leader, node) > lagMax);
  if (removed.length === 0) return;
  const evidence = removed.map((node) => ({
    storedEnd: leader.followers.get(node)?.storedEnd ?? state.log.start,
    lagMs: lagMs(state, leader, node),
  }));
  const logEnd = state.log.end;
  effects.push({
    kind: 'event',
    event: { event: 'isr-shrink-proposed', removed, logEnd, evidence },
  });
  const kept = isr.filter((node) => !removed.includes(node));
  propose(state, leader, { kind: 'shrink', isr: kept }, effects);
}

/** The outcome of an earlier attempt is unknown and this one was refused: outdate them both. */
export function reaffirm(state: PartitionState, leader: Leader, effects: Effect[]): void {
  propose(state, leader, { kind: 'reaffirm', isr: leader.committed.isr }, effects);
}

/** No proposal for a moment: the last one was refused, or nobody answered. */
export function pauseProposals(leader: Leader): void {
  leader.proposeAfterMs = leader.nowMs + pauseMs;
}

/**
 * Followers that may join: started in this epoch, eligible, and with everything stored that is below
 * the watermark and the epoch's start (rule B3.4), or was acknowledged at `semi-sync` before their
 * stream opened. Joining ends a suspicion, and a former holder that was emptied and let in at a low
 * watermark would be taken for a holder again by the next election.
 *
 * While the watermark rests below the minimum, a follower that hangs stays above it: one that lags does
 * not join, or it would leave and join for ever.
 */
function joiners(state: PartitionState, leader: Leader): NodeId[] {
  const replicas = state.metadata?.replicas ?? [];
  const { isr } = leader.committed;
  if (isr.length >= replicas.length) return [];
  const lagMax = state.metadata?.settings.lagTimeMaxMs ?? Infinity;
  const joining: NodeId[] = [];
  for (const { nodeId, isEligible } of replicas) {
    if (!isEligible || nodeId === state.self || isr.includes(nodeId)) continue;
    const progress = leader.followers.get(nodeId);
    if (progress?.phase !== 'started' || progress.storedEnd === undefined) continue;
    const { storedEnd, joinsAt } = progress;
    const least = Math.max(state.watermark, leader.epochStart);
    if (storedEnd < least && state.rules.joinsAtWatermark) continue;
    if (storedEnd < joinsAt && state.rules.joinsWithAcknowledged) continue;
    if (lagMs(state, leader, nodeId) > lagMax) continue;
    joining.push(nodeId);
  }
  return joining;
}

interface Change {
  readonly kind: PendingIsr['kind'];
  readonly isr: readonly NodeId[];
  /** The members with the incarnations of an earlier attempt. */
  readonly members?: IsrProposal['isr'];
}

function propose(state: PartitionState, leader: Leader, change: Change, effects: Effect[]): void {
  const { committed, pending } = leader;
  leader.proposals++;
  const proposal: IsrProposal = {
    proposal: leader.proposals,
    leaderEpoch: leader.epoch,
    partitionEpoch: committed.partitionEpoch,
    leaderBrokerEpoch: state.brokerEpoch,
    isr:
      change.members ??
      change.isr.map((nodeId) => ({ nodeId, brokerEpoch: judged(state, leader, nodeId) })),
    semiSync: isSemiSyncChange(change.kind) ? change.kind : 'keep',
    semiSyncReplicas: state.metadata?.settings.semiSyncReplicas ?? 0,
  };
  // Undecided sets stay in the union: any of them may be the one that is committed.
  const before = pending?.maximalIsr ?? committed.isr;
  const added = change.isr.filter((node) => !before.includes(node));
  leader.pending = {
    kind: change.kind,
    proposal,
    maximalIsr: added.length === 0 ? before : [...before, ...added],
    removed: [
      ...(pending?.removed ?? []),
      ...committed.isr.filter((node) => !change.isr.includes(node)),
    ],
    outcome: 'asked',
    isUncertain: pending !== undefined,
    mayClose: change.kind === 'close' || pending?.mayClose === true,
    settlingReplicas: Math.max(
      pending?.settlingReplicas ?? 0,
      change.kind === 'settle' ? proposal.semiSyncReplicas : 0,
    ),
  };
  effects.push({ kind: 'propose', proposal });
}

/** The incarnation on which a member was judged: that of its stream, else the registered one. */
function judged(
  state: PartitionState,
  leader: Leader,
  node: NodeId,
): IsrProposal['leaderBrokerEpoch'] {
  if (!state.rules.namesIncarnation) return brokerEpoch(0);
  if (node === state.self) return state.brokerEpoch;
  const progress = leader.followers.get(node);
  if (progress !== undefined) return progress.brokerEpoch;
  const replica = state.metadata?.replicas.find(({ nodeId }) => nodeId === node);
  return replica?.brokerEpoch ?? brokerEpoch(0);
}

function isSemiSyncChange(kind: PendingIsr['kind']): kind is 'open' | 'settle' | 'close' {
  return kind === 'open' || kind === 'settle' || kind === 'close';
}
