/**
 * What changed between two images: for watchers that keep a state of their own, such as clients.
 *
 * Any earlier image will do, so a watcher resumes from whatever revision it holds as long as the
 * image of it is kept; and several changes between the two appear as one, never as a part of one.
 */
import type { PartitionState } from '../generated/highwater/metadata/v1/records.ts';
import type { NodeId, TopicId } from '../model/ids.ts';
import type { Revision } from '../model/offset.ts';
import type { BrokerImage, MetadataImage, TopicImage } from './image.ts';

export interface ImageDelta {
  /** Revision of the image that the delta is to be laid on. */
  readonly from: Revision;
  /** Revision afterwards. */
  readonly to: Revision;
  /** Brokers that are there and were not, or not so. */
  readonly brokers: readonly BrokerImage[];
  readonly removedBrokers: readonly NodeId[];
  readonly topics: readonly TopicDelta[];
  readonly deletedTopics: readonly TopicId[];
}

export interface TopicDelta {
  readonly topic: TopicImage;
  /** True: the topic was not there before. */
  readonly isNew: boolean;
  readonly hasNewConfig: boolean;
  /** Partitions that are there and were not, or not so. Partitions never go alone. */
  readonly partitions: readonly PartitionChange[];
}

export interface PartitionChange {
  readonly before: PartitionState | undefined;
  readonly after: PartitionState;
}

/** The changes from `older` to `newer`; costs what differs, not what there is. */
export function deltaBetween(older: MetadataImage, newer: MetadataImage): ImageDelta {
  const brokers: BrokerImage[] = [];
  const removedBrokers: NodeId[] = [];
  for (const { key, after } of newer.brokers.changesSince(older.brokers)) {
    if (after === undefined) removedBrokers.push(key);
    else brokers.push(after);
  }
  const topics: TopicDelta[] = [];
  const deletedTopics: TopicId[] = [];
  for (const { key, before, after } of newer.topics.changesSince(older.topics)) {
    if (after === undefined) deletedTopics.push(key);
    else topics.push(topicDelta(before, after));
  }
  return {
    from: older.revision,
    to: newer.revision,
    brokers,
    removedBrokers,
    topics,
    deletedTopics,
  };
}

function topicDelta(before: TopicImage | undefined, after: TopicImage): TopicDelta {
  const partitions: PartitionChange[] = [];
  if (before === undefined) {
    for (const state of after.partitions.values()) {
      partitions.push({ before: undefined, after: state });
    }
  } else {
    for (const change of after.partitions.changesSince(before.partitions)) {
      if (change.after !== undefined) {
        partitions.push({ before: change.before, after: change.after });
      }
    }
  }
  return {
    topic: after,
    isNew: before === undefined,
    hasNewConfig: before !== undefined && before.config !== after.config,
    partitions,
  };
}
