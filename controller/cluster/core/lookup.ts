/** Names from requests to what the image knows, or the refusal to answer with. */
import {
  type HostedPartition,
  type MetadataImage,
  type TopicImage,
  topicNamed,
} from '../../../proto/metadata/image.ts';
import { internalPrefix } from '../../../proto/metadata/topic-name.ts';
import type { PartitionNumber } from '../../../proto/model/ids.ts';
import { type Refused, refused } from './decision.ts';

/** The topic of this name. */
export function findTopic(image: MetadataImage, name: string): TopicImage | Refused {
  return (
    topicNamed(image, name) ??
    refused('UNKNOWN_TOPIC', `no topic named ${JSON.stringify(name.slice(0, 300))}`)
  );
}

/** The topic of this name if a client may change it. */
export function findAlterableTopic(image: MetadataImage, name: string): TopicImage | Refused {
  const topic = findTopic(image, name);
  if ('code' in topic || !topic.isInternal) return topic;
  return refused(
    'INVALID_TOPIC',
    `topic ${name} is internal (${internalPrefix}…): the system's own`,
  );
}

/** One partition of the topic of this name. */
export function findPartition(
  image: MetadataImage,
  name: string,
  partition: PartitionNumber,
): HostedPartition | Refused {
  const topic = findTopic(image, name);
  if ('code' in topic) return topic;
  const state = topic.partitions.get(partition);
  if (state !== undefined) return { topic, partition: state };
  const { size } = topic.partitions;
  const facts = { topic: name, partition, partitions: size };
  return refused('UNKNOWN_PARTITION', `${name} has partitions 0 to ${size - 1}`, facts);
}
