/** How far everything that one producer wrote has been stored, partition by partition. */
import type { ClientParts } from '../client-parts.ts';
import type { PartitionProducer } from './partition-producer.ts';
import {
  awaitStoredLevel,
  type StoredLevel,
  type StoredLimits,
  type WantedLevel,
} from './stored-level.ts';

/** One partition's part of a barrier. */
export interface BarrierResult extends StoredLevel {
  readonly topic: string;
  readonly partition: number;
  /** Everything below was asked about. */
  readonly endOffset: bigint;
}

/** Asks about all partitions at once, each up to what was acknowledged last. */
export function barrierOf(
  parts: ClientParts,
  partitions: Iterable<PartitionProducer>,
  wanted: WantedLevel & StoredLimits,
): Promise<readonly BarrierResult[]> {
  const asked = Array.from(partitions, async (one): Promise<BarrierResult[]> => {
    const { lastWritten, topic, partition } = one;
    if (lastWritten === undefined) return [];
    const place = { topicId: topic.topicId, partition, ...lastWritten };
    const level = await awaitStoredLevel(parts, place, wanted, wanted);
    return [{ topic: topic.name, partition, endOffset: BigInt(lastWritten.offset), ...level }];
  });
  return Promise.all(asked).then((results) => results.flat());
}
