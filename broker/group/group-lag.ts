/**
 * Lag as a fact of the server: how far the commits of a group are behind the watermark, as this node's
 * replica knows it, and how long the first record that is not handled has been waiting.
 */

import type { GroupLag } from '../../proto/generated/highwater/v1/group.ts';
import type { MetadataImage } from '../../proto/metadata/image.ts';
import { topicNamed } from '../../proto/metadata/image.ts';
import { partitionNumber, type TopicId } from '../../proto/model/ids.ts';
import type { Offset } from '../../proto/model/offset.ts';
import { readBatchHeader } from '../../proto/wire/batch-header.ts';
import type { PartitionDriver } from '../replication/partition-driver.ts';
import {
  type GroupState,
  type OffsetRecord,
  type PartitionKey,
  partitionKey,
  placeOf,
} from './core/group-state.ts';
import { topicsOf } from './core/reconcile.ts';

/** What the lag of one partition is made of. */
interface Facts {
  readonly key: PartitionKey;
  readonly committed: OffsetRecord | undefined;
  readonly member: string;
}

/** What the group has to do with, partition by partition: taken from its state in one turn. */
export function lagFacts(group: GroupState, image: MetadataImage): Facts[] {
  const owners = new Map<PartitionKey, string>();
  const keys = new Set(group.offsets.keys());
  for (const member of group.members.values()) {
    for (const topic of topicsOf(member, image))
      for (let at = 0; at < topic.partitions; at++) keys.add(partitionKey(topic.topicId, at));
    for (const key of member.held.keys()) owners.set(key, member.member);
  }
  return Array.from(keys, (key) => ({
    key,
    committed: group.offsets.get(key),
    member: owners.get(key) ?? '',
  }));
}

/** The lags, in order of topic name and partition. */
export async function lagsOf(
  facts: readonly Facts[],
  image: MetadataImage,
  find: (topicId: TopicId, partition: number) => PartitionDriver | undefined,
  wallMs: number,
): Promise<GroupLag[]> {
  const lags: GroupLag[] = [];
  for (const { key, committed, member } of facts) {
    const { topicId, partition } = placeOf(key);
    const topic = image.topics.get(topicId)?.name ?? '';
    const replica = find(topicId, partition);
    const lag: GroupLag = {
      topicId,
      topic,
      partition,
      member,
      ...(committed === undefined ? {} : { committedOffset: committed.offset }),
    };
    lags.push(
      replica === undefined ? lag : { ...lag, ...(await measured(replica, committed, wallMs)) },
    );
  }
  return lags.sort((a, b) =>
    a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1,
  );
}

async function measured(
  replica: PartitionDriver,
  committed: OffsetRecord | undefined,
  wallMs: number,
): Promise<Pick<GroupLag, 'highWatermark' | 'lagRecords' | 'lagBytes' | 'lagMs'>> {
  const highWatermark = replica.watermark;
  const start = replica.log.startOffset;
  const from = committed === undefined || committed.offset < start ? start : committed.offset;
  const lagRecords = Math.max(0, highWatermark - from);
  if (lagRecords === 0) return { highWatermark, lagRecords, lagBytes: 0, lagMs: 0 };
  const [waitingSince, lagBytes] = await Promise.all([
    timestampAt(replica, from, highWatermark),
    bytesBetween(replica, from, highWatermark),
  ]);
  return {
    highWatermark,
    lagRecords,
    ...(lagBytes === undefined ? {} : { lagBytes }),
    ...(waitingSince === undefined ? {} : { lagMs: Math.max(0, wallMs - waitingSince) }),
  };
}

/** Undefined if they cannot be measured here. */
async function bytesBetween(
  replica: PartitionDriver,
  from: Offset,
  below: Offset,
): Promise<number | undefined> {
  try {
    return await replica.log.bytesBetween(from, below);
  } catch {
    // As with the time: a damaged or removed place says nothing.
    return undefined;
  }
}

/** When the batch of the first waiting record was made; undefined if it cannot be read here. */
async function timestampAt(
  replica: PartitionDriver,
  from: Offset,
  below: Offset,
): Promise<number | undefined> {
  try {
    const [buffer] = await replica.log.read(from, { bytesMax: 1, below });
    const header = buffer === undefined ? undefined : readBatchHeader(buffer, 0);
    return header?.kind === 'batch' ? header.baseTimestamp : undefined;
  } catch {
    // A damaged or removed place says nothing of the time; the other figures still hold.
    return undefined;
  }
}

/** A place of a request: the topic by id, or by name where no id is given. */
export function keyNamed(
  image: MetadataImage,
  place: { readonly topicId: TopicId; readonly topic: string; readonly partition: number },
): PartitionKey | undefined {
  const id = place.topicId === '' ? topicNamed(image, place.topic)?.topicId : place.topicId;
  return id === undefined ? undefined : partitionKey(id, partitionNumber(place.partition));
}
