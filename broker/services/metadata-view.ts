/** The public form of the metadata: what clients are told of brokers, topics and partitions. */
import type { PartitionState } from '../../proto/generated/highwater/metadata/v1/records.ts';
import type {
  Broker,
  MetadataUpdate,
  Partition,
  Topic,
} from '../../proto/generated/highwater/v1/metadata.ts';
import type { BrokerImage, MetadataImage, TopicImage } from '../../proto/metadata/image.ts';
import type { NodeId } from '../../proto/model/ids.ts';

/** Which topics a client wants: these, or all. */
export type TopicFilter = ReadonlySet<string> | undefined;

/** The whole image. */
export function snapshotUpdate(
  image: MetadataImage,
  wanted: TopicFilter,
  more: UpdateFacts,
): MetadataUpdate {
  const topics: Topic[] = [];
  for (const topic of image.topics.values()) {
    if (isWanted(topic, wanted))
      topics.push(publicTopic(topic, Array.from(topic.partitions.values(), publicPartition)));
  }
  return {
    ...head(image, more),
    isSnapshot: true,
    brokers: Array.from(image.brokers.values(), publicBroker),
    topics,
  };
}

/** What changed from one image to a later one. */
export function deltaUpdate(
  before: MetadataImage,
  image: MetadataImage,
  wanted: TopicFilter,
  more: UpdateFacts,
): MetadataUpdate {
  const brokers: Broker[] = [];
  const removedBrokers: NodeId[] = [];
  for (const { key, after } of image.brokers.changesSince(before.brokers)) {
    if (after === undefined) removedBrokers.push(key);
    else brokers.push(publicBroker(after));
  }
  const topics: Topic[] = [];
  const deletedTopics: Topic['topicId'][] = [];
  for (const { before: was, after, key } of image.topics.changesSince(before.topics)) {
    if (after === undefined) {
      deletedTopics.push(key);
    } else if (isWanted(after, wanted)) {
      topics.push(
        publicTopic(
          after,
          was === undefined
            ? Array.from(after.partitions.values(), publicPartition)
            : changedPartitions(was, after),
        ),
      );
    }
  }
  return { ...head(image, more), brokers, removedBrokers, topics, deletedTopics };
}

/** Facts that are not in the image. */
export interface UpdateFacts {
  readonly isStale: boolean;
  readonly controller: NodeId | undefined;
}

function head(image: MetadataImage, more: UpdateFacts): MetadataUpdate {
  return {
    revision: image.revision,
    clusterId: image.clusterId ?? '',
    isSnapshot: false,
    brokers: [],
    topics: [],
    deletedTopics: [],
    removedBrokers: [],
    stale: more.isStale,
    controller: more.controller,
  };
}

function isWanted(topic: TopicImage, wanted: TopicFilter): boolean {
  return wanted === undefined || wanted.has(topic.name);
}

function publicBroker(broker: BrokerImage): Broker {
  const { nodeId, host, port, rack, state, intent, brokerEpoch } = broker;
  return {
    nodeId,
    host,
    port,
    rack,
    fenced: state === 'fenced',
    draining: intent !== 'serve' || state === 'stopping',
    brokerEpoch,
  };
}

function publicTopic(topic: TopicImage, partitions: readonly Partition[]): Topic {
  const { topicId, name, isInternal, config } = topic;
  return { topicId, name, internal: isInternal, partitions, config };
}

function changedPartitions(was: TopicImage, topic: TopicImage): Partition[] {
  const changed: Partition[] = [];
  for (const { after } of topic.partitions.changesSince(was.partitions))
    if (after !== undefined) changed.push(publicPartition(after));
  return changed;
}

function publicPartition(state: PartitionState): Partition {
  const { partition, leader, leaderEpoch, partitionEpoch, replicas, isr, elr } = state;
  return { partition, leader, leaderEpoch, partitionEpoch, replicas, isr, elr };
}
