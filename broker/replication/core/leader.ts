/**
 * The leader: orders appends, learns what its followers have stored, and moves the watermark.
 *
 * Invariants: (1) at most one role per epoch, taken once; (2) the watermark and every ack rest on
 * reports made in this epoch at or above its start; (3) whatever waits at step-down is answered as
 * maybe written, and is never judged again under a later epoch (rules B1.5, B1.11).
 */
import type { Effect } from './effects.ts';
import { maybeFinishHandOver } from './hand-over.ts';
import type { Ticked } from './inputs.ts';
import { updateLag } from './lag.ts';
import type { PartitionMetadata } from './metadata.ts';
import { maybePropose, onProposalTick } from './proposals.ts';
import type { Leader, PartitionState } from './state.ts';
import { maybeVerify } from './verified-epoch.ts';
import { completeWaiters, expireWaiters, failAll, failQueue } from './waiters.ts';
import { advanceWatermark } from './watermark.ts';

/** Takes the lead of the metadata's epoch, from what this replica has. */
export function becomeLeader(
  state: PartitionState,
  metadata: PartitionMetadata,
  effects: Effect[],
): void {
  const epochStart = state.log.end;
  const role: Leader = {
    kind: 'leader',
    epoch: metadata.leaderEpoch,
    epochStart,
    nowMs: 0,
    servedMs: 0,
    followers: new Map(),
    committed: {
      partitionEpoch: metadata.partitionEpoch,
      isr: metadata.isr,
      semiSyncMembers: metadata.semiSyncMembers,
      semiSyncReplicas: metadata.semiSyncReplicas,
    },
    pending: undefined,
    semiSync: { acknowledgedEnd: epochStart, usedMs: 0, degradedUntil: undefined },
    waiting: { leader: [], semiSync: [], all: [] },
    handOver: undefined,
    proposals: 0,
    proposeAfterMs: 0,
  };
  state.role = role;
  // An epoch is led once: a restart or a failed write forfeits it.
  state.forfeitedEpoch = metadata.leaderEpoch;
  const { isr } = metadata;
  const { watermark } = state;
  effects.push({
    kind: 'event',
    event: { event: 'became-leader', leaderEpoch: role.epoch, epochStart, watermark, isr },
  });
  maybeVerify(state, role.epoch, role.epochStart, effects);
  advance(state, role, effects);
}

/** Everything that a report, a flush or a committed change may have made possible. */
export function advance(state: PartitionState, leader: Leader, effects: Effect[]): void {
  advanceWatermark(state, leader, effects);
  completeWaiters(state, leader, effects);
  if (leader.handOver !== undefined) maybeFinishHandOver(state, leader, effects);
}

/** Ends the lead. The log stays as it is; the next leader's history says what to cut. */
export function stepDown(state: PartitionState, leader: Leader, effects: Effect[]): void {
  const { waiting } = leader;
  const unacknowledged = waiting.leader.length + waiting.semiSync.length + waiting.all.length;
  if (state.rules.failsWaitersAtStepDown) failAll(leader, 'LEADERSHIP_LOST', effects);
  for (const [follower, { stream, phase }] of leader.followers) {
    if (phase !== 'closed') effects.push({ kind: 'close-follower', follower, stream });
  }
  state.role = { kind: 'none' };
  effects.push({
    kind: 'event',
    event: {
      event: 'stepped-down',
      leaderEpoch: leader.epoch,
      logEnd: state.log.end,
      watermark: state.watermark,
      unacknowledged,
    },
  });
}

/** Timeouts, lag and proposals that wait to be asked again. */
export function onTick(state: PartitionState, tick: Ticked, effects: Effect[]): void {
  if (state.role.kind !== 'leader') return;
  const leader = state.role;
  const passedMs = state.rules.countsServedTime ? tick.ableToServeMs : tick.nowMs - leader.nowMs;
  leader.nowMs = tick.nowMs;
  leader.servedMs += passedMs;
  if (leader.handOver !== undefined && leader.handOver.deadlineMs <= tick.nowMs) {
    leader.handOver = undefined;
  }
  expireWaiters(state, leader, effects);
  updateLag(state, leader);
  onProposalTick(state, leader, effects);
  maybePropose(state, leader, effects);
}

/** Without the lease nothing is promised at levels that rest on nobody else (rule 6.7). */
export function onLeaseChanged(state: PartitionState, isHeld: boolean, effects: Effect[]): void {
  state.isLeaseHeld = isHeld;
  if (isHeld || state.role.kind !== 'leader' || !state.rules.needsLease) return;
  failQueue(state.role.waiting.leader, 'LEASE_LOST', effects);
}

/** Whether ticks can change anything: false for an idle replica, which then costs nothing. */
export function needsTicks(state: PartitionState): boolean {
  if (state.role.kind !== 'leader') return false;
  const { waiting, pending, committed, followers, handOver } = state.role;
  if (waiting.leader.length + waiting.semiSync.length + waiting.all.length > 0) return true;
  if (pending !== undefined || handOver !== undefined) return true;
  if (committed.semiSyncMembers.length > 0) return true;
  if (state.metadata !== undefined && committed.isr.length < state.metadata.replicas.length) {
    return true;
  }
  for (const node of committed.isr) {
    if (node === state.self) continue;
    const progress = followers.get(node);
    if (progress?.storedEnd !== state.log.end || progress.phase === 'closed') return true;
  }
  return false;
}
