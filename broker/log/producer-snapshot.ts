/**
 * A snapshot of producer state as bytes, big-endian:
 *
 * | bytes | field |
 * |---|---|
 * | 1 | version, 1 |
 * | 8, 8 | end offset covered, largest timestamp of the log |
 * | 4 | number of producers, in the order of their last batch; then for each: |
 * | 8, 2, 8, 1 | producer id, epoch, last timestamp, number of batches; then for each: |
 * | 4, 4, 8, 8 | first and last sequence, base and last offset |
 * | 4 | CRC-32C of all before |
 *
 * A snapshot that is not intact counts as missing: the state is then replayed from the log, and
 * never taken to be empty (rule B6.4).
 */
import { crc32c } from '../../proto/wire/crc32c.ts';
import { readInt64, writeInt64 } from '../../proto/wire/int64.ts';
import type { ProducerEntry, ProducerSnapshot, RememberedBatch } from './core/producer-state.ts';

const version = 1;
const headBytes = 21;
const entryBytes = 19;
const batchBytes = 24;

export function encodeProducers(snapshot: ProducerSnapshot): Buffer {
  let size = headBytes + 4;
  for (const entry of snapshot.entries) size += entryBytes + batchBytes * entry.batches.length;
  const bytes = Buffer.alloc(size);
  bytes[0] = version;
  writeInt64(bytes, snapshot.endOffset, 1);
  writeInt64(bytes, snapshot.largestTimestamp, 9);
  bytes.writeUInt32BE(snapshot.entries.length, 17);
  let at = headBytes;
  for (const entry of snapshot.entries) {
    writeInt64(bytes, entry.producerId, at);
    bytes.writeInt16BE(entry.epoch, at + 8);
    writeInt64(bytes, entry.lastTimestamp, at + 10);
    bytes[at + 18] = entry.batches.length;
    at += entryBytes;
    for (const batch of entry.batches) {
      bytes.writeInt32BE(batch.firstSequence, at);
      bytes.writeInt32BE(batch.lastSequence, at + 4);
      writeInt64(bytes, batch.baseOffset, at + 8);
      writeInt64(bytes, batch.lastOffset, at + 16);
      at += batchBytes;
    }
  }
  bytes.writeUInt32BE(crc32c(bytes.subarray(0, at)), at);
  return bytes;
}

/** Undefined unless the bytes are whole, and end where their counts say. */
export function decodeProducers(bytes: Buffer): ProducerSnapshot | undefined {
  const end = bytes.length - 4;
  if (end < headBytes || bytes[0] !== version) return undefined;
  if (crc32c(bytes.subarray(0, end)) !== bytes.readUInt32BE(end)) return undefined;

  const entries: ProducerEntry[] = [];
  let at = headBytes;
  for (let left = bytes.readUInt32BE(17); left > 0; left--) {
    if (at + entryBytes > end) return undefined;
    const count = bytes[at + 18] ?? 0;
    if (at + entryBytes + batchBytes * count > end) return undefined;
    const batches: RememberedBatch[] = [];
    for (let index = 0; index < count; index++) {
      batches.push(decodeBatch(bytes, at + entryBytes + batchBytes * index));
    }
    entries.push({
      producerId: int64(bytes, at),
      epoch: bytes.readInt16BE(at + 8),
      lastTimestamp: int64(bytes, at + 10),
      batches,
    });
    at += entryBytes + batchBytes * count;
  }
  if (at !== end) return undefined;
  return { endOffset: int64(bytes, 1), largestTimestamp: int64(bytes, 9), entries };
}

function decodeBatch(bytes: Buffer, at: number): RememberedBatch {
  return {
    firstSequence: bytes.readInt32BE(at),
    lastSequence: bytes.readInt32BE(at + 4),
    baseOffset: int64(bytes, at + 8),
    lastOffset: int64(bytes, at + 16),
  };
}

/** The checksum has vouched for the bytes, and only safe integers were written. */
function int64(bytes: Buffer, at: number): number {
  return readInt64(bytes, at) ?? -1;
}
