/**
 * What a replica wants done. The driver runs effects in order; none of them returns a value, what
 * becomes of them arrives as a later input.
 */
import type { ErrorCode, ErrorOutcome } from '../../../proto/model/errors.ts';
import type { NodeId } from '../../../proto/model/ids.ts';
import type {
  BrokerEpoch,
  LeaderEpoch,
  Offset,
  PartitionEpoch,
} from '../../../proto/model/offset.ts';
import type { PartitionEvent } from './events.ts';
import type { RequestToken } from './inputs.ts';

export type Effect =
  | AppendProduced
  | AppendReplicated
  | Truncate
  | Reset
  | PersistVerifiedEpoch
  | Reply
  | AnswerOpen
  | CloseFollower
  | OpenStream
  | CloseStream
  | Report
  | WatermarkMoved
  | Propose
  | AnswerPromise
  | Resign
  | HandOverReady
  | Halt
  | { readonly kind: 'event'; readonly event: PartitionEvent };

/** Append the batch of this request with these stamps, and push it to the started followers. */
export interface AppendProduced {
  readonly kind: 'append';
  readonly token: RequestToken;
  readonly baseOffset: Offset;
  readonly endOffset: Offset;
  readonly leaderEpoch: LeaderEpoch;
}

/** Append the batches of the `replicated` input that was just stepped, as they are. */
export interface AppendReplicated {
  readonly kind: 'append-replicated';
  readonly baseOffset: Offset;
  readonly endOffset: Offset;
}

/** Keep what is below `to`, durably, with epoch history and producer state (rules B2.6, B2.8). */
export interface Truncate {
  readonly kind: 'truncate';
  readonly to: Offset;
  readonly cuts: number;
  /** After an unclean election: the bytes cut off are kept in a file beside the log. */
  readonly isKeptAside: boolean;
}

/** Drop everything; the log starts again at `to`, where the leader's log starts. */
export interface Reset {
  readonly kind: 'reset';
  readonly to: Offset;
  readonly cuts: number;
}

/** Make the verified epoch durable, then say `verified-epoch-persisted`. */
interface PersistVerifiedEpoch {
  readonly kind: 'persist-verified-epoch';
  readonly epoch: LeaderEpoch;
}

/** The one answer to a produce request. */
export interface Reply {
  readonly kind: 'reply';
  readonly token: RequestToken;
  readonly result: ProduceResult;
}

export type ProduceResult =
  | { readonly kind: 'acknowledged'; readonly receipt: Receipt }
  | {
      readonly kind: 'failed';
      readonly code: ErrorCode;
      /** Worse than the code's own where an earlier attempt was written. */
      readonly outcome: ErrorOutcome;
    };

/** What an ack tells. The session token is (`leaderEpoch`, `endOffset`). */
export interface Receipt {
  readonly baseOffset: Offset;
  readonly endOffset: Offset;
  /** The epoch under which the records were appended. */
  readonly leaderEpoch: LeaderEpoch;
  /** Who had stored it at the time of the ack, as far as the leader knew. */
  readonly storedBy: readonly NodeId[];
  readonly isrSize: number;
  /** Asked at `semi-sync`, acknowledged at `leader`. */
  readonly isDegraded: boolean;
  /** The batch was in the log before this request: a retry, answered with its first offset. */
  readonly isDuplicate: boolean;
}

/** The leader's answer to a follower that opens its stream. After `start` batches are pushed. */
export interface AnswerOpen {
  readonly kind: 'answer-open';
  readonly follower: NodeId;
  readonly stream: number;
  readonly leaderEpoch: LeaderEpoch;
  readonly answer: OpenAnswer;
}

/**
 * `start`: the logs agree up to `from`, which is the follower's end; batches are pushed from there.
 * `diverged`: the leader's largest epoch not above the follower's last one, and where it ends here
 * (rule B2.3); the follower cuts and asks again. `reset`: the follower ends before the leader's log
 * starts. `refused`: a fencing code; neither side acts (rule B2.2).
 */
export type OpenAnswer =
  | {
      readonly kind: 'start';
      readonly from: Offset;
      readonly epochStart: Offset;
      readonly watermark: Offset;
    }
  | {
      readonly kind: 'diverged';
      readonly epoch: LeaderEpoch | undefined;
      readonly endOffset: Offset;
    }
  | { readonly kind: 'reset'; readonly logStart: Offset }
  | {
      readonly kind: 'refused';
      readonly code:
        | 'FENCED_LEADER_EPOCH'
        | 'UNKNOWN_LEADER_EPOCH'
        | 'NOT_LEADER'
        | 'STALE_BROKER_EPOCH';
    };

/** Stop pushing to this follower. */
interface CloseFollower {
  readonly kind: 'close-follower';
  readonly follower: NodeId;
  readonly stream: number;
}

/** Ask the leader for a stream of this partition; replaces any earlier one. */
export interface OpenStream {
  readonly kind: 'open-stream';
  readonly leader: NodeId;
  readonly leaderEpoch: LeaderEpoch;
  readonly brokerEpoch: BrokerEpoch;
  readonly stream: number;
  readonly lastEpoch: LeaderEpoch | undefined;
  readonly logEnd: Offset;
}

/** Forget the stream to the leader. */
interface CloseStream {
  readonly kind: 'close-stream';
  readonly stream: number;
}

/** Tell the leader how far this replica is. Of several in one turn the last one is enough. */
export interface Report {
  readonly kind: 'report';
  readonly leader: NodeId;
  readonly brokerEpoch: BrokerEpoch;
  readonly stream: number;
  readonly leaderEpoch: LeaderEpoch;
  readonly logEnd: Offset;
  /** Undefined: nothing below the epoch's start counts (rule 6.5). */
  readonly storedEnd: Offset | undefined;
}

/** Wake readers; a leader also sends it to its started followers, with the next batch or alone. */
interface WatermarkMoved {
  readonly kind: 'watermark';
  readonly offset: Offset;
}

/** Ask the active controller for a change of the in-sync set or of the semi-sync members. */
export interface Propose {
  readonly kind: 'propose';
  readonly proposal: IsrProposal;
}

/**
 * Accepted only if both epochs and the leader's incarnation are the controller's own (rule B3.2) and
 * each member is registered under the named incarnation (rule B3.3).
 *
 * `semiSync` says what becomes of the semi-sync members: `keep`: unchanged where empty, else with
 * the ISR added. `open`: with the ISR added. `settle`: exactly the ISR, and k as named.
 * `close`: empty.
 */
export interface IsrProposal {
  readonly proposal: number;
  readonly leaderEpoch: LeaderEpoch;
  readonly partitionEpoch: PartitionEpoch;
  readonly leaderBrokerEpoch: BrokerEpoch;
  readonly isr: readonly { readonly nodeId: NodeId; readonly brokerEpoch: BrokerEpoch }[];
  readonly semiSync: 'keep' | 'open' | 'settle' | 'close';
  /** The k that counts in election rounds once this is committed; used by `open` and `settle`. */
  readonly semiSyncReplicas: number;
}

/** The answer to an election round (rule 6.5). */
export interface AnswerPromise {
  readonly kind: 'answer-promise';
  readonly leaderEpoch: LeaderEpoch;
  readonly brokerEpoch: BrokerEpoch;
  readonly verifiedEpoch: LeaderEpoch;
  readonly storedEnd: Offset;
  readonly isSuspect: boolean;
}

/** Metadata names this replica as leader of an epoch in which it may not lead: ask for a round. */
interface Resign {
  readonly kind: 'resign';
  readonly leaderEpoch: LeaderEpoch;
}

/** The successor has stored everything; the controller may open the round. */
interface HandOverReady {
  readonly kind: 'hand-over-ready';
  readonly successor: NodeId;
  readonly leaderEpoch: LeaderEpoch;
}

/** A rule of the protocol would be broken by going on: this replica stops and says so (rule B2.7). */
interface Halt {
  readonly kind: 'halt';
  readonly reason: 'cut-below-watermark';
  readonly watermark: Offset;
  readonly truncateTo: Offset;
}
