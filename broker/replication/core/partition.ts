/**
 * One replica of one partition: `step` takes what happened and says what to do. Dispatch only; each
 * question is answered in its own file.
 *
 * The machine never throws for anything that arrives from outside: what does not fit the present
 * role, epoch, stream or cut is late, and is ignored or refused.
 */
import type { NodeId } from '../../../proto/model/ids.ts';
import { invariant } from '../../../proto/model/invariant.ts';
import {
  type BrokerEpoch,
  type LeaderEpoch,
  type Offset,
  offset,
} from '../../../proto/model/offset.ts';
import type { EpochHistory } from '../../log/core/epoch-history.ts';
import type { Effect } from './effects.ts';
import { onLeaderReachable, onReplicated, onStreamAnswered, onStreamClosed } from './follower.ts';
import { onHandOverAsked, onHandOverCancelled } from './hand-over.ts';
import type { Input } from './inputs.ts';
import { onProposalAnswered } from './isr.ts';
import { onLeaseChanged, onTick } from './leader.ts';
import {
  onLogFailed,
  onLogStartMoved,
  onLogStored,
  onLogTruncated,
  onVerifiedEpochPersisted,
} from './local-log.ts';
import { onProduce } from './produce.ts';
import { onFollowerClosed, onFollowerOpened, onFollowerReported } from './progress.ts';
import { onMetadata, onPromiseAsked, onStop } from './roles.ts';
import { everyRule, type Rules } from './rules.ts';
import type { PartitionState } from './state.ts';

/** What a replica begins with: recovered from disk, or empty. */
export interface PartitionStart {
  readonly self: NodeId;
  readonly brokerEpoch: BrokerEpoch;
  readonly logStart: Offset;
  /** The end of what recovery found good, all of it stored. */
  readonly logEnd: Offset;
  readonly history: EpochHistory;
  /** The last checkpoint; recovery may have cut below it, then the log's end is taken. */
  readonly watermark: Offset;
  readonly verifiedEpoch: LeaderEpoch;
  readonly isSuspect: boolean;
  /** The epoch in which the image at registration had this node as leader: an earlier incarnation. */
  readonly forfeitedEpoch: LeaderEpoch | undefined;
  readonly isLeaseHeld: boolean;
  /** Streams that this incarnation has opened for the replica before; none by default. */
  readonly streams?: number;
  readonly rules?: Rules;
}

/** A replica that has applied no metadata yet. */
export function createPartition(start: PartitionStart): PartitionState {
  invariant(start.logStart <= start.logEnd, 'a log starts at or before its end');
  const watermark = Math.max(start.logStart, Math.min(start.watermark, start.logEnd));
  return {
    self: start.self,
    brokerEpoch: start.brokerEpoch,
    metadata: undefined,
    log: {
      start: start.logStart,
      end: start.logEnd,
      stored: start.logEnd,
      cuts: 0,
      isCutting: false,
      history: [...start.history],
    },
    watermark: offset(watermark),
    verifiedEpoch: start.verifiedEpoch,
    persistingEpoch: start.verifiedEpoch,
    isSuspect: start.isSuspect,
    forfeitedEpoch: start.forfeitedEpoch ?? -1,
    streams: start.streams ?? 0,
    isLeaseHeld: start.isLeaseHeld,
    role: { kind: 'none' },
    rules: start.rules ?? everyRule,
  };
}

/**
 * Takes one input into the state and appends what is to be done to `effects`, which the caller owns
 * and may use again. Total: it ignores everything once the replica has stopped.
 */
export function step(state: PartitionState, input: Input, effects: Effect[]): void {
  if (state.role.kind === 'stopped') {
    if (input.kind === 'produce') refuseStopped(input.token, effects);
    return;
  }
  switch (input.kind) {
    case 'metadata':
      return onMetadata(state, input.metadata, effects);
    case 'promise-asked':
      return onPromiseAsked(state, input, effects);
    case 'produce':
      return onProduce(state, input, effects);
    case 'stored':
      return onLogStored(state, input, effects);
    case 'truncated':
      return onLogTruncated(state, input, effects);
    case 'log-start':
      return onLogStartMoved(state, input);
    case 'log-failed':
      return onLogFailed(state, effects);
    case 'verified-epoch-persisted':
      return onVerifiedEpochPersisted(state, input, effects);
    case 'follower-opened':
      return onFollowerOpened(state, input, effects);
    case 'follower-reported':
      return onFollowerReported(state, input, effects);
    case 'follower-closed':
      return onFollowerClosed(state, input);
    case 'proposal-answered':
      return onProposalAnswered(state, input, effects);
    case 'hand-over':
      return onHandOverAsked(state, input, effects);
    case 'hand-over-cancelled':
      return onHandOverCancelled(state);
    case 'lease':
      return onLeaseChanged(state, input.isHeld, effects);
    case 'tick':
      return onTick(state, input, effects);
    case 'stream-answered':
      return onStreamAnswered(state, input, effects);
    case 'replicated':
      return onReplicated(state, input, effects);
    case 'stream-closed':
      return onStreamClosed(state, input);
    case 'leader-reachable':
      return onLeaderReachable(state, input, effects);
    case 'stop':
      return onStop(state, effects);
  }
}

function refuseStopped(token: number, effects: Effect[]): void {
  effects.push({
    kind: 'reply',
    token,
    result: { kind: 'failed', code: 'NOT_LEADER', outcome: 'not-written' },
  });
}
