/**
 * The follower: copies the log of its epoch's leader and says how far it is.
 *
 * It opens a stream with its last epoch and end; the leader answers where the logs part; the follower
 * cuts and asks again until they agree (rule B2.3). Only then are batches taken.
 *
 * Invariants: (1) everything taken came through a stream of the present epoch whose opening agreed;
 * (2) it never cuts below its own watermark, except after a committed unclean election (rule B2.7);
 * (3) it reports nothing stored until its verified epoch is durable.
 */
import type { NodeId } from '../../../proto/model/ids.ts';
import type { Offset } from '../../../proto/model/offset.ts';
import { truncateEpochs } from '../../log/core/epoch-history.ts';
import { type EpochEnd, lastEpoch, truncationPoint } from './divergence.ts';
import type { Effect } from './effects.ts';
import type { LeaderReachable, Replicated, StreamAnswered, StreamClosed } from './inputs.ts';
import type { Follower, PartitionState } from './state.ts';
import { maybeVerify } from './verified-epoch.ts';
import { raiseWatermark } from './watermark.ts';

/** Follows the leader that the metadata names. */
export function becomeFollower(state: PartitionState, leader: NodeId, effects: Effect[]): void {
  const epoch = state.metadata?.leaderEpoch;
  if (epoch === undefined) return;
  const role: Follower = {
    kind: 'follower',
    epoch,
    leader,
    phase: 'closed',
    stream: 0,
    epochStart: undefined,
  };
  state.role = role;
  effects.push({ kind: 'event', event: { event: 'following', leader, leaderEpoch: epoch } });
  if (state.log.isCutting) role.phase = 'cutting';
  else openStream(state, role, effects);
}

/** Asks the leader whether the logs agree. Answers to earlier streams are ignored from here on. */
export function openStream(state: PartitionState, role: Follower, effects: Effect[]): void {
  state.streams++;
  role.stream = state.streams;
  role.phase = 'opening';
  effects.push({
    kind: 'open-stream',
    leader: role.leader,
    leaderEpoch: role.epoch,
    brokerEpoch: state.brokerEpoch,
    stream: role.stream,
    lastEpoch: lastEpoch(state.log),
    logEnd: state.log.end,
  });
}

/** The leader's answer; only one of the same epoch and stream counts (rule B2.4). */
export function onStreamAnswered(
  state: PartitionState,
  input: StreamAnswered,
  effects: Effect[],
): void {
  const role = state.role;
  if (role.kind !== 'follower' || role.phase !== 'opening') return;
  if (input.stream !== role.stream || input.leaderEpoch !== role.epoch) return;
  const { answer } = input;
  switch (answer.kind) {
    case 'start':
      if (answer.from !== state.log.end) return;
      role.phase = 'started';
      role.epochStart = answer.epochStart;
      raiseWatermark(state, answer.watermark, effects);
      maybeVerify(state, role.epoch, role.epochStart, effects);
      return report(state, role, effects);
    case 'diverged':
      return cut(state, role, answer, effects);
    case 'reset':
      return reset(state, role, answer.logStart, effects);
    case 'refused':
      role.phase = 'closed';
  }
}

/** Takes batches that follow on the log's end; a gap closes the stream (rule B2.9). */
export function onReplicated(state: PartitionState, input: Replicated, effects: Effect[]): void {
  const { role, log } = state;
  if (role.kind !== 'follower' || role.phase !== 'started') return;
  if (input.stream !== role.stream || input.leaderEpoch !== role.epoch) return;
  // Applying a higher epoch is the promise, whatever became of the role.
  if (state.rules.promiseStops && state.metadata?.leaderEpoch !== role.epoch) return;
  if (input.endOffset > input.baseOffset) {
    if (input.baseOffset !== log.end) {
      role.phase = 'closed';
      effects.push({ kind: 'close-stream', stream: role.stream });
      return;
    }
    for (const entry of input.epochs) {
      if (entry.epoch > (lastEpoch(log) ?? -1)) log.history.push(entry);
    }
    log.end = input.endOffset;
    const { baseOffset, endOffset } = input;
    effects.push({ kind: 'append-replicated', baseOffset, endOffset });
    report(state, role, effects);
  }
  raiseWatermark(state, input.watermark, effects);
}

/** The link to the leader is gone. What was taken stays, and is compared again at the next opening. */
export function onStreamClosed(state: PartitionState, input: StreamClosed): void {
  const { role } = state;
  if (role.kind !== 'follower' || input.stream !== role.stream) return;
  if (role.phase === 'opening' || role.phase === 'started') role.phase = 'closed';
}

/** Opens the stream again, if it was waiting for the link. */
export function onLeaderReachable(
  state: PartitionState,
  input: LeaderReachable,
  effects: Effect[],
): void {
  const { role } = state;
  if (role.kind !== 'follower' || role.phase !== 'closed' || input.node !== role.leader) return;
  openStream(state, role, effects);
}

/** Tells the leader both ends; the stored one only where it counts. */
export function report(state: PartitionState, role: Follower, effects: Effect[]): void {
  const { log, rules } = state;
  const isVerified = state.verifiedEpoch >= role.epoch && log.stored >= (role.epochStart ?? 0);
  effects.push({
    kind: 'report',
    leader: role.leader,
    brokerEpoch: state.brokerEpoch,
    stream: role.stream,
    leaderEpoch: role.epoch,
    logEnd: log.end,
    storedEnd: isVerified || !rules.countsFromEpochStart ? log.stored : undefined,
  });
}

function cut(state: PartitionState, role: Follower, at: EpochEnd, effects: Effect[]): void {
  const { log, watermark } = state;
  const point = truncationPoint(log, at);
  // Below its watermark a compacted log lacks what only the cut part replaced: it is copied anew.
  const isCompacted = state.metadata?.settings.isCompacted === true;
  const to = isCompacted && point < watermark ? log.start : point;
  // The leader has deleted what both may have had: nothing that it still has agrees with this log.
  const isPassed = at.epoch === undefined && at.endOffset > log.start;
  if (isPassed && at.endOffset >= watermark) return beginAnew(state, role, at.endOffset, effects);
  const unclean = state.metadata?.uncleanEpoch;
  const isAllowed = unclean !== undefined && unclean <= role.epoch && state.verifiedEpoch < unclean;
  if (to < watermark && !isAllowed && state.rules.haltsBelowWatermark) {
    state.role = { kind: 'stopped', why: 'halted' };
    effects.push({ kind: 'event', event: { event: 'halted', watermark, truncateTo: to } });
    effects.push({ kind: 'halt', reason: 'cut-below-watermark', watermark, truncateTo: to });
    return;
  }
  // A log that is cut to its start and still begins behind all that the leader has.
  if (to < log.start && log.end === log.start) return beginAnew(state, role, to, effects);
  effects.push({
    kind: 'event',
    event: {
      event: 'truncated',
      leaderEpoch: role.epoch,
      logEnd: log.end,
      truncateTo: to,
      watermark,
    },
  });
  log.end = to > log.start ? to : log.start;
  log.stored = log.stored < log.end ? log.stored : log.end;
  log.history = [...truncateEpochs(log.history, log.end)];
  if (watermark > log.end) state.watermark = log.end;
  role.phase = 'cutting';
  beginCut(state);
  effects.push({ kind: 'truncate', to: log.end, cuts: log.cuts, isKeptAside: to < watermark });
}

/** Retention at the leader has passed this log, or a log without records begins where no batch does. */
function reset(state: PartitionState, role: Follower, start: Offset, effects: Effect[]): void {
  const { log } = state;
  const isEmpty = log.start === log.end && start !== log.end;
  if (start > log.end || isEmpty) beginAnew(state, role, start, effects);
}

/** Nothing of this log is left to agree on, or nothing was in it: it begins where the leader says (rule B2.11). */
function beginAnew(state: PartitionState, role: Follower, start: Offset, effects: Effect[]): void {
  const { log } = state;
  log.start = start;
  log.end = start;
  log.stored = start;
  log.history = [];
  state.watermark = start;
  role.phase = 'cutting';
  beginCut(state);
  effects.push({ kind: 'reset', to: start, cuts: log.cuts });
  effects.push({ kind: 'watermark', offset: start });
}

function beginCut(state: PartitionState): void {
  state.log.cuts++;
  state.log.isCutting = true;
}
