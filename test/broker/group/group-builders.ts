import type { Joining } from '../../../broker/group/core/membership.ts';
import type { MetadataImage } from '../../../proto/metadata/image.ts';
import { record } from '../../../proto/metadata/records.ts';
import { partitionNumber, type TopicId, topicId } from '../../../proto/model/ids.ts';
import { after, clusterOf, state, uuid } from '../../proto/metadata/metadata-builders.ts';

/** The id that the topic of a name has here. */
export function topicNumber(name: string): TopicId {
  return topicId(uuid(name.charCodeAt(0)));
}

/** An image with these topics, by name their partitions. */
export function imageWithTopics(topics: Readonly<Record<string, number>>): MetadataImage {
  let image = clusterOf(1);
  for (const [name, count] of Object.entries(topics)) {
    const partitions = Array.from({ length: count }, (_, index) =>
      state([1], { partition: partitionNumber(index) }),
    );
    const isInternal = name.startsWith('__');
    const config = new Map<string, string>();
    const created = { topicId: topicNumber(name), name, isInternal, config, partitions };
    image = after(image, record('topicCreated', created));
  }
  return image;
}

/** Who wants to join. */
export function joining(
  member: string,
  topics: readonly string[],
  more: Partial<Joining> = {},
): Joining {
  return {
    member,
    instance: '',
    clientHost: '',
    rack: '',
    subscription: { topics, pattern: '' },
    sessionTimeoutMs: 10_000,
    assignor: '',
    ...more,
  };
}
