/**
 * Requests that wait for their ack level, in three queues ordered by end offset.
 *
 * Invariant: each token is answered exactly once. A failure here is never `not-written`: the batch is
 * in the log, and a later leader may have it (promise A5).
 */
import type { ErrorCode } from '../../../proto/model/errors.ts';
import type { NodeId } from '../../../proto/model/ids.ts';
import { type Offset, offset } from '../../../proto/model/offset.ts';
import { epochAt } from '../../log/core/epoch-history.ts';
import type { Effect } from './effects.ts';
import { maybeRecover, semiSyncEnd } from './semi-sync.ts';
import type { Leader, PartitionState, Waiter } from './state.ts';
import { countedEnd } from './watermark.ts';

/** Adds a waiter; all but duplicates belong at the tail. */
export function enqueue(queue: Waiter[], waiter: Waiter): void {
  let place = queue.length;
  while (place > 0 && (queue[place - 1]?.endOffset ?? 0) > waiter.endOffset) place--;
  if (place === queue.length) queue.push(waiter);
  else queue.splice(place, 0, waiter);
}

/** Acknowledges what has reached its level. */
export function completeWaiters(state: PartitionState, leader: Leader, effects: Effect[]): void {
  const { waiting, semiSync } = leader;
  if (waiting.leader.length > 0) {
    acknowledgeBelow(state, waiting.leader, state.log.stored, effects);
  }
  if (waiting.semiSync.length > 0 || semiSync.degradedUntil !== undefined) {
    completeSemiSync(state, leader, effects);
  }
  if (waiting.all.length > 0) acknowledgeBelow(state, waiting.all, state.watermark, effects);
}

/** One ack: to a waiter, or at once where the level asks for nothing more. */
export function acknowledge(
  state: PartitionState,
  waiter: Pick<Waiter, 'token' | 'baseOffset' | 'endOffset' | 'isDuplicate'>,
  isDegraded: boolean,
  effects: Effect[],
): void {
  const { token, baseOffset, endOffset, isDuplicate } = waiter;
  const leader = state.role;
  if (leader.kind !== 'leader') return;
  const receipt = {
    baseOffset,
    endOffset,
    leaderEpoch: epochAt(state.log.history, baseOffset) ?? leader.epoch,
    storedBy: storedBy(state, leader, endOffset),
    isrSize: leader.committed.isr.length,
    isDegraded,
    isDuplicate,
  };
  effects.push({ kind: 'reply', token, result: { kind: 'acknowledged', receipt } });
}

/** Fails what has waited too long, or degrades it where the topic allows. */
export function expireWaiters(state: PartitionState, leader: Leader, effects: Effect[]): void {
  const { waiting, nowMs } = leader;
  degradeLate(state, leader, effects);
  expireQueue(waiting.leader, nowMs, 'ACK_TIMEOUT', effects);
  expireQueue(waiting.semiSync, nowMs, 'SEMI_SYNC_TIMEOUT', effects);
  expireQueue(waiting.all, nowMs, 'ACK_TIMEOUT', effects);
}

/** Fails every request that waits, at any level. */
export function failAll(leader: Leader, code: ErrorCode, effects: Effect[]): void {
  failQueue(leader.waiting.leader, code, effects);
  failQueue(leader.waiting.semiSync, code, effects);
  failQueue(leader.waiting.all, code, effects);
}

/** Fails every request of one level. */
export function failQueue(queue: Waiter[], code: ErrorCode, effects: Effect[]): void {
  for (const { token } of queue) fail(token, code, effects);
  queue.length = 0;
}

function completeSemiSync(state: PartitionState, leader: Leader, effects: Effect[]): void {
  const { waiting, semiSync } = leader;
  const end = semiSyncEnd(state, leader);
  const count = acknowledgeBelow(state, waiting.semiSync, end, effects);
  // Exactly what was acknowledged binds the set, not everything that could have been.
  if (count > semiSync.acknowledgedEnd) semiSync.acknowledgedEnd = count;
  maybeRecover(leader, end, effects);
  if (semiSync.degradedUntil === undefined || !state.isLeaseHeld) return;
  acknowledgeDegraded(state, leader, effects);
}

/** Acknowledges the head of a queue; returns the greatest end acknowledged, or 0. */
function acknowledgeBelow(
  state: PartitionState,
  queue: Waiter[],
  end: Offset,
  effects: Effect[],
): Offset {
  let count = 0;
  let reached = offset(0);
  for (const waiter of queue) {
    if (waiter.endOffset > end) break;
    acknowledge(state, waiter, false, effects);
    reached = waiter.endOffset;
    count++;
  }
  if (count > 0) queue.splice(0, count);
  return reached;
}

function acknowledgeDegraded(state: PartitionState, leader: Leader, effects: Effect[]): void {
  const queue = leader.waiting.semiSync;
  let count = 0;
  for (const waiter of queue) {
    if (waiter.endOffset > state.log.stored || waiter.degradeAtMs === Infinity) break;
    acknowledge(state, waiter, true, effects);
    count++;
  }
  if (count > 0) queue.splice(0, count);
}

/** The first late waiter switches the level to degraded; it stays so until k members caught up. */
function degradeLate(state: PartitionState, leader: Leader, effects: Effect[]): void {
  const { semiSync, waiting, nowMs } = leader;
  if (!state.isLeaseHeld) return;
  const isLate = waiting.semiSync.some(
    (waiter) => waiter.degradeAtMs <= nowMs && waiter.endOffset <= state.log.stored,
  );
  if (!isLate) return;
  if (semiSync.degradedUntil === undefined) {
    semiSync.degradedUntil = state.log.end;
    const holders = storedBy(state, leader, state.log.stored);
    effects.push({ kind: 'event', event: { event: 'semi-sync-degraded', storedBy: holders } });
  }
  acknowledgeDegraded(state, leader, effects);
}

function expireQueue(queue: Waiter[], nowMs: number, code: ErrorCode, effects: Effect[]): void {
  if (!queue.some((waiter) => waiter.deadlineMs <= nowMs)) return;
  const kept = queue.filter((waiter) => waiter.deadlineMs > nowMs);
  for (const waiter of queue) if (waiter.deadlineMs <= nowMs) fail(waiter.token, code, effects);
  queue.splice(0, queue.length, ...kept);
}

function fail(token: number, code: ErrorCode, effects: Effect[]): void {
  effects.push({
    kind: 'reply',
    token,
    result: { kind: 'failed', code, outcome: 'maybe-written' },
  });
}

function storedBy(state: PartitionState, leader: Leader, end: Offset): NodeId[] {
  const holders: NodeId[] = state.log.stored >= end ? [state.self] : [];
  for (const node of leader.followers.keys()) {
    const stored = countedEnd(state, leader, node);
    if (stored !== undefined && stored >= end) holders.push(node);
  }
  return holders;
}
