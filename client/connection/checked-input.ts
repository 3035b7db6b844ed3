/** What a user passes in is checked once, here: a mistake is an error of the call, never a crash. */
import { HighwaterError } from '../../proto/model/errors.ts';
import {
  type NodeId,
  nodeId,
  type PartitionNumber,
  partitionNumber,
} from '../../proto/model/ids.ts';
import { limits } from '../../proto/model/limits.ts';
import { type Offset, offset } from '../../proto/model/offset.ts';

/** The call cannot be meant: nothing was sent. */
export function invalidRequest(message: string): HighwaterError {
  return new HighwaterError('INVALID_REQUEST', message, { outcome: 'not-written' });
}

/** A node id from 1. */
export function checkedNode(value: number): NodeId {
  if (!Number.isSafeInteger(value) || value < 1)
    throw invalidRequest(`node ${value}: expected a whole number from 1`);
  return nodeId(value);
}

/** A partition number from 0. */
export function checkedPartition(value: number): PartitionNumber {
  if (!Number.isSafeInteger(value) || value < 0 || value >= limits.topicPartitionsMax)
    throw invalidRequest(`partition ${value}: expected a whole number from 0`);
  return partitionNumber(value);
}

/** An offset from 0 to 2^53 - 1. */
export function checkedOffset(value: bigint): Offset {
  const number = Number(value);
  if (typeof value !== 'bigint' || value < 0n || !Number.isSafeInteger(number))
    throw invalidRequest(`offset ${String(value)}: expected a bigint from 0n`);
  return offset(number);
}

/** A count from `min` that travels as 32 bits. */
export function checkedCount(value: number, min: number, what: string): number {
  if (!Number.isSafeInteger(value) || value < min || value > 0xffff_ffff)
    throw invalidRequest(`${what} ${value}: expected a whole number from ${min}`);
  return value;
}
