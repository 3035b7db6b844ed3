/**
 * The identity of a partition's log: topic id and partition number, never a name (rule B2.12).
 * The same identity is the key in the stores and the name of the log's folder.
 */
import {
  isUuid,
  type PartitionNumber,
  partitionNumber,
  type TopicId,
  topicId,
} from '../../proto/model/ids.ts';

/** Which log. */
export interface LogKey {
  readonly topicId: TopicId;
  readonly partition: PartitionNumber;
}

/** Bytes of a key: 16 of the UUID, 4 of the partition, both in order, so that topics lie together. */
export const logKeyBytes = 20;

/** The key in the stores. */
export function encodeLogKey(key: LogKey): Buffer {
  const bytes = Buffer.alloc(logKeyBytes);
  bytes.write(key.topicId.replaceAll('-', ''), 0, 'hex');
  bytes.writeUInt32BE(key.partition, 16);
  return bytes;
}

/** Reads a key at the start of the bytes. */
export function decodeLogKey(bytes: Buffer): LogKey {
  const hex = bytes.toString('hex', 0, 16);
  const text = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-');
  return { topicId: topicId(text), partition: partitionNumber(bytes.readUInt32BE(16)) };
}

/** The log's folder below `logs/`, and its name in maps and reports. */
export function logName(key: LogKey): string {
  return `${key.topicId}-${key.partition}`;
}

/** The key a folder is named for; undefined for a foreign name, which is left alone. */
export function parseLogName(name: string): LogKey | undefined {
  const id = name.slice(0, 36);
  const number = name.slice(37);
  if (!isUuid(id) || name[36] !== '-' || !/^(0|[1-9][0-9]{0,9})$/.test(number)) return undefined;
  if (Number(number) > 0xffff_ffff) return undefined;
  return { topicId: topicId(id), partition: partitionNumber(Number(number)) };
}
