/**
 * What the local log says of itself: flushes, cuts, retention, failure.
 *
 * Invariant: only the stored end counts anywhere outside this replica, and a flush says nothing of
 * bytes that a later cut removed.
 */

import { trimEpochs } from '../../log/core/epoch-history.ts';
import type { Effect } from './effects.ts';
import { openStream, report } from './follower.ts';
import type { LogStartMoved, LogStored, LogTruncated, VerifiedEpochPersisted } from './inputs.ts';
import { advance } from './leader.ts';
import { maybePropose } from './proposals.ts';
import { leaveRole } from './roles.ts';
import type { PartitionState } from './state.ts';
import { maybeVerify } from './verified-epoch.ts';

/** More of the log is stored. */
export function onLogStored(state: PartitionState, input: LogStored, effects: Effect[]): void {
  const { log, role } = state;
  if (input.cuts !== log.cuts || input.end <= log.stored) return;
  log.stored = input.end < log.end ? input.end : log.end;
  if (role.kind === 'leader') {
    maybeVerify(state, role.epoch, role.epochStart, effects);
    advance(state, role, effects);
  } else if (role.kind === 'follower' && role.phase === 'started') {
    if (role.epochStart !== undefined) maybeVerify(state, role.epoch, role.epochStart, effects);
    report(state, role, effects);
  }
}

/** The verified epoch is durable: reports made under it count from here on. */
export function onVerifiedEpochPersisted(
  state: PartitionState,
  input: VerifiedEpochPersisted,
  effects: Effect[],
): void {
  if (input.epoch <= state.verifiedEpoch) return;
  state.verifiedEpoch = input.epoch;
  const { role } = state;
  if (role.kind === 'leader') {
    advance(state, role, effects);
    maybePropose(state, role, effects);
  } else if (role.kind === 'follower' && role.phase === 'started') report(state, role, effects);
}

/** A cut is durable. A follower asks its leader again whether the logs agree (rule B2.3). */
export function onLogTruncated(
  state: PartitionState,
  input: LogTruncated,
  effects: Effect[],
): void {
  const { log, role } = state;
  if (input.cuts !== log.cuts) return;
  log.isCutting = false;
  if (role.kind === 'follower' && role.phase === 'cutting') openStream(state, role, effects);
}

/** Retention never passes the watermark (rule B2.11); a later start would hide unread records. */
export function onLogStartMoved(state: PartitionState, input: LogStartMoved): void {
  const { log } = state;
  if (input.offset <= log.start || input.offset > state.watermark) return;
  log.start = input.offset;
  log.history = [...trimEpochs(log.history, log.start)];
}

/** The log can no longer be trusted. What was pushed or waits may be written elsewhere. */
export function onLogFailed(state: PartitionState, effects: Effect[]): void {
  const epoch = state.role.kind === 'leader' ? state.role.epoch : undefined;
  leaveRole(state, effects);
  state.role = { kind: 'stopped', why: 'log-failed' };
  if (epoch !== undefined) effects.push({ kind: 'resign', leaderEpoch: epoch });
}
