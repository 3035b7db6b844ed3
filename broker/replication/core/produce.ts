/**
 * A produce request: refuse it before anything is written, or give it offsets and let it wait.
 *
 * Order of the decisions: deduplication comes before every other refusal (rule 6.9). A retry
 * whose first attempt was written must never hear `not-written`, whatever has happened since.
 * Invariant: a refusal says `not-written` only if no attempt of this batch is in the log here.
 */
import type { Acks } from '../../../proto/model/acks.ts';
import type { ErrorCode } from '../../../proto/model/errors.ts';
import { type Offset, offsetAfter } from '../../../proto/model/offset.ts';
import { lastEpoch } from './divergence.ts';
import type { Effect } from './effects.ts';
import type { Produce } from './inputs.ts';
import { maybePropose } from './proposals.ts';
import type { Leader, PartitionState, Waiter } from './state.ts';
import { acknowledge, completeWaiters, enqueue } from './waiters.ts';

/** Takes one batch. The hot path: two small objects for a fresh one. */
export function onProduce(state: PartitionState, produce: Produce, effects: Effect[]): void {
  const { role } = state;
  const { verdict } = produce;
  if (role.kind !== 'leader') return refuse(produce, 'NOT_LEADER', effects);
  role.nowMs = produce.nowMs;
  if (verdict.kind === 'duplicate') {
    const early = state.rules.deduplicatesFirst ? undefined : refusal(state, role, produce);
    if (early !== undefined) return refuse(produce, early, effects);
    return awaitDuplicate(state, produce, verdict, effects);
  }
  const code = refusal(state, role, produce);
  if (code !== undefined) return refuse(produce, code, effects);
  append(state, role, produce, effects);
}

/** Why a batch is not appended, or undefined. All of these are definite. */
function refusal(state: PartitionState, leader: Leader, produce: Produce): ErrorCode | undefined {
  const { acks, verdict } = produce;
  const settings = state.metadata?.settings;
  if (verdict.kind === 'refused') return verdict.code;
  if (leader.handOver !== undefined) return 'LEADER_NOT_AVAILABLE';
  if (lacksLease(state, acks)) return 'LEASE_LOST';
  if (acks === 'semi-sync' && settings?.semiSyncReplicas === 0) return 'SEMI_SYNC_OFF';
  if (acks === 'all' && isBelowMinimum(state, leader)) return 'NOT_ENOUGH_REPLICAS';
  if (produce.expectedOffset !== undefined && produce.expectedOffset !== state.log.end) {
    return 'OFFSET_MISMATCH';
  }
  return produce.isDiskFull ? 'DISK_FULL' : undefined;
}

function append(state: PartitionState, leader: Leader, produce: Produce, effects: Effect[]): void {
  const { log } = state;
  const { token } = produce;
  const baseOffset = log.end;
  const endOffset = offsetAfter(baseOffset, produce.count);
  // The history begins an epoch with its first record, so it stays a pure function of the log and no
  // record can be there without its epoch (rule B1.9).
  if (state.rules.beginsEpoch && lastEpoch(log) !== leader.epoch) {
    log.history.push({ epoch: leader.epoch, startOffset: baseOffset });
  }
  log.end = endOffset;
  effects.push({ kind: 'append', token, baseOffset, endOffset, leaderEpoch: leader.epoch });
  awaitLevel(state, produce, { baseOffset, endOffset }, effects);
  if (produce.acks === 'semi-sync') maybePropose(state, leader, effects);
}

/** The batch is here already: it is answered with its first offset, once the asked level holds. */
function awaitDuplicate(
  state: PartitionState,
  produce: Produce,
  at: Place,
  effects: Effect[],
): void {
  const leader = state.role;
  if (leader.kind !== 'leader') return;
  const { acks, token } = produce;
  const code = levelUnreachable(state, leader, acks);
  if (code !== undefined) {
    const result = { kind: 'failed', code, outcome: 'maybe-written' } as const;
    effects.push({ kind: 'reply', token, result });
    return;
  }
  if (!state.rules.duplicatesWait) {
    return acknowledge(state, { token, ...at, isDuplicate: true }, false, effects);
  }
  awaitLevel(state, produce, at, effects);
  completeWaiters(state, leader, effects);
  if (acks === 'semi-sync') maybePropose(state, leader, effects);
}

interface Place {
  readonly baseOffset: Offset;
  readonly endOffset: Offset;
}

/** Why an ack at this level cannot come at present, for a batch that was written before. */
function levelUnreachable(
  state: PartitionState,
  leader: Leader,
  acks: Acks,
): ErrorCode | undefined {
  if (lacksLease(state, acks)) return 'LEASE_LOST';
  if (acks === 'semi-sync' && state.metadata?.settings.semiSyncReplicas === 0) {
    return 'SEMI_SYNC_OFF';
  }
  if (acks === 'all' && isBelowMinimum(state, leader)) return 'NOT_ENOUGH_REPLICAS_AFTER_APPEND';
  return undefined;
}

function awaitLevel(state: PartitionState, produce: Produce, at: Place, effects: Effect[]): void {
  const leader = state.role;
  if (leader.kind !== 'leader') return;
  const { token, acks, deadlineMs, nowMs } = produce;
  const isDuplicate = produce.verdict.kind === 'duplicate';
  const waiter: Waiter = { token, ...at, deadlineMs, degradeAtMs: Infinity, isDuplicate };
  switch (acks) {
    case 'none':
      return acknowledge(state, waiter, false, effects);
    case 'leader':
      return enqueue(leader.waiting.leader, waiter);
    case 'all':
      return enqueue(leader.waiting.all, waiter);
    case 'semi-sync': {
      leader.semiSync.usedMs = leader.servedMs;
      return enqueue(leader.waiting.semiSync, withLevelTime(state, waiter, nowMs));
    }
  }
}

/** The topic says how long `semi-sync` may take, and what happens then. */
function withLevelTime(state: PartitionState, waiter: Waiter, nowMs: number): Waiter {
  const settings = state.metadata?.settings;
  if (settings === undefined) return waiter;
  const levelMs = nowMs + settings.semiSyncTimeoutMs;
  if (settings.semiSyncOnTimeout === 'degrade') return { ...waiter, degradeAtMs: levelMs };
  return levelMs < waiter.deadlineMs ? { ...waiter, deadlineMs: levelMs } : waiter;
}

/** Levels that rest on nobody else need the lease (rule 6.7). */
function lacksLease({ isLeaseHeld, rules }: PartitionState, acks: Acks): boolean {
  return rules.needsLease && !isLeaseHeld && (acks === 'none' || acks === 'leader');
}

function isBelowMinimum(state: PartitionState, leader: Leader): boolean {
  const minimum = state.metadata?.settings.minInsyncReplicas ?? 1;
  return state.rules.refusesBelowMinimum && leader.committed.isr.length < minimum;
}

function refuse(produce: Produce, code: ErrorCode, effects: Effect[]): void {
  const { token } = produce;
  const result = { kind: 'failed', code, outcome: 'not-written' } as const;
  effects.push({ kind: 'reply', token, result });
}
