/** Which failures of a read another attempt may mend, and how the others are told. */
import { HighwaterError } from '../../proto/model/errors.ts';
import type { PartitionCursor } from './partition-cursor.ts';

/** A partition that no broker hosts, though the metadata says so, is given up after this. */
const unknownMsMax = 10_000;

/** True if another attempt, here or elsewhere, may succeed. */
export function isBearable(cursor: PartitionCursor, error: HighwaterError, nowMs: number): boolean {
  if (error.retriable || error.code === 'CORRUPT_BATCH' || error.code === 'CLOSED') return true;
  // The metadata names this broker; it may not have heard of the partition yet.
  if (error.code !== 'UNKNOWN_PARTITION' && error.code !== 'UNKNOWN_TOPIC') return false;
  return nowMs - (cursor.failingSinceMs ?? nowMs) < unknownMsMax;
}

/** The error with the partition that it is about. */
export function withPlace(error: HighwaterError, cursor: PartitionCursor): HighwaterError {
  const { topic, partition } = cursor;
  return new HighwaterError(error.code, `${topic.name}/${partition}: ${error.message}`, {
    cause: error,
    outcome: error.outcome,
    facts: { ...error.facts, topic: topic.name, partition },
  });
}

/** The topic is gone, and what was read of it with it. */
export function deletedTopic({ topic }: PartitionCursor): HighwaterError {
  return new HighwaterError('UNKNOWN_TOPIC', `${topic.name} was deleted`);
}
