/**
 * The topic in which groups are kept: made on the first use of a group, with as many replicas as the
 * cluster can hold up to three. The number of its partitions never changes, since a group belongs to
 * the partition that the hash of its name gives.
 */
import { adminService } from '../../proto/generated/highwater/v1/admin.ts';
import { type MetadataImage, type TopicImage, topicNamed } from '../../proto/metadata/image.ts';
import { groupsTopic } from '../../proto/metadata/topic-name.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import { limits } from '../../proto/model/limits.ts';
import { crc32c } from '../../proto/wire/crc32c.ts';
import type { ControllerForward } from '../services/controller-forward.ts';

const partitions = 16;

/** Nothing of it goes by age or size: only what a later record of the same key replaces. */
const config: ReadonlyMap<string, string> = new Map([
  ['cleanup.policy', 'compact'],
  ['retention.ms', '-1'],
  ['retention.bytes', '-1'],
  ['segment.bytes', String(16 * 1024 * 1024)],
  ['max.message.bytes', String(limits.batchBytesMax)],
]);

/** The internal topic, once somebody has used a group. */
export function groupsTopicOf(image: MetadataImage): TopicImage | undefined {
  return topicNamed(image, groupsTopic);
}

/** The number of the partition that a group belongs to. */
export function groupPartitionOf(group: string, topic: TopicImage): number {
  return crc32c(Buffer.from(group)) % topic.partitions.size;
}

/** Has the active controller make the topic. That another broker did is as good. */
export async function createGroupsTopic(forward: ControllerForward): Promise<void> {
  const request = {
    requestId: '',
    name: groupsTopic,
    partitions,
    replicationFactor: 0,
    config,
    assignment: [],
    validateOnly: false,
  };
  try {
    await forward.change(adminService.createTopic, request, {
      principal: { name: 'broker', roles: new Set(['admin']) },
      deadlineMs: 10_000,
    });
  } catch (caught) {
    const error = HighwaterError.from(caught);
    if (error.code !== 'TOPIC_EXISTS') throw error;
  }
}
