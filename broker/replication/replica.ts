/** One hosted replica as the streams between nodes see it; the partition driver is its implementation. */
import type { ReplicaReport } from '../../proto/generated/highwater/peer/v1/replication.ts';
import type { NodeId, PartitionNumber, TopicId } from '../../proto/model/ids.ts';
import type { BrokerEpoch, LeaderEpoch, Offset } from '../../proto/model/offset.ts';
import type { Input } from './core/inputs.ts';
import type { ReplicaLog } from './replica-log.ts';

export interface Replica {
  readonly topicId: TopicId;
  readonly partition: PartitionNumber;
  readonly log: ReplicaLog;
  readonly watermark: Offset;
  /** Takes one input; effects run before it returns, unless it is called from one. */
  step(input: Input): void;
  /** Deletes records below an offset, for good. */
  deleteRecords(to: Offset): Promise<Offset>;
  /** The incarnation is that of the stream on which the report came. */
  followerReported(follower: NodeId, by: BrokerEpoch, report: ReplicaReport): void;
  /** Checks batches from the leader and takes them; false: they are damaged or do not fit. */
  takeReplicated(batches: ReplicatedBatches): boolean;
}

/** A run of batches as it came from a leader. */
export interface ReplicatedBatches {
  readonly stream: number;
  readonly leaderEpoch: LeaderEpoch;
  readonly baseOffset: Offset;
  /** Empty: the watermark alone. */
  readonly bytes: Buffer;
  readonly watermark: Offset;
}

/** The replica of a partition if this node hosts it. */
export type ReplicaLookup = (topicId: TopicId, partition: PartitionNumber) => Replica | undefined;
