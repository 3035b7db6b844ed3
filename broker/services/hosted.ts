/** What the services need of the node: hosted replicas, and names and settings of topics. */
import type { Failure } from '../../proto/generated/highwater/v1/common.ts';
import type { PartitionNumber, TopicId } from '../../proto/model/ids.ts';
import type { PartitionDriver } from '../replication/partition-driver.ts';

/** A topic as far as data requests need it. */
export interface HostedTopic {
  readonly topicId: TopicId;
  readonly name: string;
  /** `max.message.bytes`. */
  readonly batchBytesMax: number;
}

/** How a request names a partition: by id, or by name. */
export interface PartitionName {
  readonly topicId: TopicId;
  readonly topic: string;
  readonly partition: PartitionNumber;
}

export type HostedPartition =
  | { readonly kind: 'hosted'; readonly topic: HostedTopic; readonly replica: PartitionDriver }
  | { readonly kind: 'failed'; readonly failure: Failure };

export interface HostedPartitions {
  /** The replica here, or why there is none: unknown topic, or hosted elsewhere (with the leader). */
  find(name: PartitionName): HostedPartition;
  /** Who leads, for a client that asked the wrong broker. */
  leaderFacts(name: PartitionName): Readonly<Record<string, string>>;
}
