/**
 * Everything that can happen to one replica of a partition. Time, storage progress and the answers of
 * others arrive here as data; the machine asks for nothing by itself.
 *
 * The driver's part of the contract:
 * - inputs are stepped one after the other, and the effects of one step are begun in order before the
 *   next step of the same partition (an append reaches the producer state before the next verdict);
 * - an answer to an effect names what it answers (`cuts`, `stream`, `proposal`, epochs), so that a
 *   late one is recognised and ignored.
 */
import type { Acks } from '../../../proto/model/acks.ts';
import type { NodeId } from '../../../proto/model/ids.ts';
import type {
  BrokerEpoch,
  LeaderEpoch,
  Offset,
  PartitionEpoch,
} from '../../../proto/model/offset.ts';
import type { EpochHistory } from '../../log/core/epoch-history.ts';
import type { OpenAnswer } from './effects.ts';
import type { PartitionMetadata } from './metadata.ts';

export type Input =
  | MetadataApplied
  | PromiseAsked
  | Produce
  | LogStored
  | LogTruncated
  | LogStartMoved
  | LogFailed
  | VerifiedEpochPersisted
  | FollowerOpened
  | FollowerReported
  | FollowerClosed
  | ProposalAnswered
  | HandOverAsked
  | HandOverCancelled
  | LeaseChanged
  | Ticked
  | StreamAnswered
  | Replicated
  | StreamClosed
  | LeaderReachable
  | Stopped;

/**
 * The image's facts about the partition. A lower partition epoch is ignored (rule B3.5); an equal one
 * brings settings and registrations, which change without it.
 */
interface MetadataApplied {
  readonly kind: 'metadata';
  readonly metadata: PartitionMetadata;
}

/** A controller asks again for the answer to an open round; a successor does, or a lost answer. */
export interface PromiseAsked {
  readonly kind: 'promise-asked';
  readonly leaderEpoch: LeaderEpoch;
}

/** Names one produce request of one partition until it is replied to. Chosen by the driver. */
export type RequestToken = number;

/** A batch that was checked (header, CRC, size) and waits for an offset. */
export interface Produce {
  readonly kind: 'produce';
  readonly token: RequestToken;
  /** Number of records, at least 1. */
  readonly count: number;
  readonly acks: Acks;
  /** Monotonic time at which the wait for the ack ends. */
  readonly deadlineMs: number;
  readonly nowMs: number;
  /** What the producer state says, judged after every earlier append of this partition. */
  readonly verdict: ProducerVerdict;
  /** The conditional append: refused unless the log ends here. */
  readonly expectedOffset: Offset | undefined;
  /** The disk is below its reserve. Checked before the append, so that it is a clean refusal. */
  readonly isDiskFull: boolean;
}

/** The verdict of the producer state on a batch (rules B6.2, B6.3). No producer id: `fresh`. */
export type ProducerVerdict =
  | { readonly kind: 'fresh' }
  | { readonly kind: 'duplicate'; readonly baseOffset: Offset; readonly endOffset: Offset }
  | {
      readonly kind: 'refused';
      readonly code:
        | 'OUT_OF_ORDER_SEQUENCE'
        | 'PRODUCER_FENCED'
        | 'UNKNOWN_PRODUCER'
        | 'DUPLICATE_SEQUENCE';
    };

/** Everything below `end` counts as stored (flushed, or written where the topic says `flush=os`). */
export interface LogStored {
  readonly kind: 'stored';
  readonly end: Offset;
  /** How many cuts the log had had when the flush began: a flush begun before a cut says nothing. */
  readonly cuts: number;
}

/** The cut asked for by a `truncate` or `reset` effect is durable (rule B2.8). */
export interface LogTruncated {
  readonly kind: 'truncated';
  readonly cuts: number;
}

/** Retention or a record deletion moved the start of the log, never above the watermark. */
export interface LogStartMoved {
  readonly kind: 'log-start';
  readonly offset: Offset;
}

/** A write or flush failed, or bytes were found damaged: this replica takes no further part. */
interface LogFailed {
  readonly kind: 'log-failed';
}

/** A `persist-verified-epoch` effect is durable. */
export interface VerifiedEpochPersisted {
  readonly kind: 'verified-epoch-persisted';
  readonly epoch: LeaderEpoch;
}

/** A follower opens (or opens again) its stream of this partition at the leader. */
export interface FollowerOpened {
  readonly kind: 'follower-opened';
  readonly follower: NodeId;
  readonly brokerEpoch: BrokerEpoch;
  /** Counted by the follower; a greater one replaces a smaller one of the same incarnation. */
  readonly stream: number;
  readonly leaderEpoch: LeaderEpoch;
  /** The epoch of its last record; undefined for an empty log. */
  readonly lastEpoch: LeaderEpoch | undefined;
  readonly logEnd: Offset;
  /**
   * Where it can be begun with here: the base of a batch, below the log's start where that lies inside
   * the batch. Told if the follower has nothing, or less than this log keeps.
   */
  readonly base?: Offset;
}

/** A follower tells how far it is. */
export interface FollowerReported {
  readonly kind: 'follower-reported';
  readonly follower: NodeId;
  readonly brokerEpoch: BrokerEpoch;
  readonly stream: number;
  readonly leaderEpoch: LeaderEpoch;
  readonly logEnd: Offset;
  /** Undefined until its stored log has reached the epoch's start and that is durable there. */
  readonly storedEnd: Offset | undefined;
}

/** The link to a follower is gone, or it closed the stream. */
export interface FollowerClosed {
  readonly kind: 'follower-closed';
  readonly follower: NodeId;
  /** Of the stream: a later incarnation counts its streams from one again. */
  readonly brokerEpoch: BrokerEpoch;
  readonly stream: number;
}

/** What became of a `propose` effect. */
export interface ProposalAnswered {
  readonly kind: 'proposal-answered';
  readonly proposal: number;
  readonly answer: ProposalAnswer;
}

/**
 * `accepted`: committed as proposed; carries what the controller committed. `rejected`: definitely
 * not committed; `partitionEpoch` is the controller's own. `unknown`: it may yet be committed.
 */
export type ProposalAnswer =
  | {
      readonly kind: 'accepted';
      readonly partitionEpoch: PartitionEpoch;
      readonly isr: readonly NodeId[];
      readonly semiSyncMembers: readonly NodeId[];
      readonly semiSyncReplicas: number;
    }
  | { readonly kind: 'rejected'; readonly partitionEpoch: PartitionEpoch }
  | { readonly kind: 'unknown' };

/** A planned move: stop appending until the successor has stored everything (rule 6.5). */
export interface HandOverAsked {
  readonly kind: 'hand-over';
  readonly successor: NodeId;
  /** When it is not done by then, the leader goes on appending. */
  readonly deadlineMs: number;
}

interface HandOverCancelled {
  readonly kind: 'hand-over-cancelled';
}

/** The broker's lease was granted or has run out (rule 6.7). */
interface LeaseChanged {
  readonly kind: 'lease';
  readonly isHeld: boolean;
}

/**
 * Time passes. The driver ticks at a steady pace and leaves out replicas that do not need it
 * (`needsTicks`).
 */
export interface Ticked {
  readonly kind: 'tick';
  readonly nowMs: number;
  /**
   * Of the time since the driver's last tick, whether or not this replica had part in it, how much
   * this process was able to serve (rule B3.6).
   */
  readonly ableToServeMs: number;
}

/** The leader answered an `open-stream` effect. */
export interface StreamAnswered {
  readonly kind: 'stream-answered';
  readonly stream: number;
  readonly leaderEpoch: LeaderEpoch;
  readonly answer: OpenAnswer;
}

/** Batches from the leader, checked (CRC, contiguous, epochs not falling) and in memory (rule B2.9). */
export interface Replicated {
  readonly kind: 'replicated';
  readonly stream: number;
  readonly leaderEpoch: LeaderEpoch;
  /** `baseOffset` = `endOffset`: no batch, the watermark alone. */
  readonly baseOffset: Offset;
  readonly endOffset: Offset;
  /** The epochs of these batches, each with the first offset it has here. */
  readonly epochs: EpochHistory;
  readonly watermark: Offset;
}

/** The stream to the leader is gone. It is opened again on `leader-reachable`. */
export interface StreamClosed {
  readonly kind: 'stream-closed';
  readonly stream: number;
}

/** A stream to that node can be opened; the driver paces the attempts. */
export interface LeaderReachable {
  readonly kind: 'leader-reachable';
  readonly node: NodeId;
}

/** The replica is being closed: nothing is appended or reported after this. */
interface Stopped {
  readonly kind: 'stop';
}
