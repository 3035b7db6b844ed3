/**
 * Batches as compaction leaves them. Base offset and last offset delta never change, so the batches of
 * a log still follow on each other without a gap, and sequences and producer stay with the span; what
 * goes is records. A batch may end up empty.
 *
 * When a mark of a deleted key is first kept, the batch gets a delete horizon (Kafka's attribute bit
 * 6): its base timestamp then says when its marks may go, and the deltas of its records follow suit.
 */
import { limits } from '../../../proto/model/limits.ts';
import type { BatchHeader } from '../../../proto/wire/batch-header.ts';
import {
  attributeBits,
  batchHeaderBytes,
  batchPrefixBytes,
  layout,
} from '../../../proto/wire/batch-layout.ts';
import { findCodec } from '../../../proto/wire/compression/codecs.ts';
import { crc32c } from '../../../proto/wire/crc32c.ts';
import { writeInt64 } from '../../../proto/wire/int64.ts';
import { sizeOfVarint, writeVarint, writeVarlong } from '../../../proto/wire/varint.ts';
import type { RawRecords } from './raw-records.ts';

/** When the marks in the batch may go; undefined until that was set. */
export function horizonOf(header: BatchHeader): number | undefined {
  const isSet = (header.attributes & attributeBits.deleteHorizon) !== 0;
  return isSet ? header.baseTimestamp : undefined;
}

/** The head of a batch alone: its span, its producer and its sequences without a record. */
export function emptied(piece: Buffer, header: BatchHeader): Buffer {
  const bytes = Buffer.from(piece.subarray(header.at, header.at + batchHeaderBytes));
  bytes.writeInt32BE(batchHeaderBytes - batchPrefixBytes, layout.batchLength);
  bytes.writeInt16BE(0, layout.attributes);
  bytes.writeInt32BE(0, layout.recordCount);
  return withCrc(bytes);
}

/** What becomes of the records of a batch. */
export interface RecordsToKeep {
  /** At the first record. */
  readonly records: RawRecords;
  /** For each record whether it stays. */
  readonly stays: readonly boolean[];
  /** Set for a batch that gets its horizon. */
  readonly horizonMs: number | undefined;
}

/** The batch with the records that stay; undefined if it would become longer than a batch may be. */
export function rewritten(
  piece: Buffer,
  header: BatchHeader,
  keep: RecordsToKeep,
): Buffer | undefined {
  const kept = keptRecords(header, keep);
  const codec = header.compression === 0 ? undefined : findCodec(header.compression);
  const packed = codec?.compress(kept.bytes);
  const isPacked = packed !== undefined && packed.length < kept.bytes.length;
  const records = isPacked ? packed : kept.bytes;
  if (batchHeaderBytes + records.length > limits.batchBytesMax) return undefined;

  const bytes = Buffer.allocUnsafe(batchHeaderBytes + records.length);
  piece.copy(bytes, 0, header.at, header.at + batchHeaderBytes);
  bytes.set(records, batchHeaderBytes);
  bytes.writeInt32BE(bytes.length - batchPrefixBytes, layout.batchLength);
  let attributes = isPacked ? header.attributes : header.attributes & ~attributeBits.codec;
  if (keep.horizonMs !== undefined) {
    attributes |= attributeBits.deleteHorizon;
    writeInt64(bytes, keep.horizonMs, layout.baseTimestamp);
  }
  bytes.writeUInt16BE(attributes, layout.attributes);
  bytes.writeInt32BE(kept.count, layout.recordCount);
  return withCrc(bytes);
}

/** Length, attributes, timestamp delta and offset delta of a record, at most. */
const recordHeadBytesMax = 5 + 1 + 10 + 5;

function keptRecords(
  header: BatchHeader,
  keep: RecordsToKeep,
): { readonly bytes: Buffer; readonly count: number } {
  const { records, stays, horizonMs } = keep;
  const pieces: Buffer[] = [];
  let count = 0;
  for (let index = 0; records.next(); index++) {
    if (stays[index] !== true) continue;
    count++;
    if (horizonMs === undefined) {
      pieces.push(records.bytes.subarray(records.start, records.end));
      continue;
    }
    const timestamp = header.baseTimestamp + records.timestampDelta;
    pieces.push(recordHead(records, timestamp - horizonMs));
    pieces.push(records.bytes.subarray(records.bodyAt, records.end));
  }
  return { bytes: Buffer.concat(pieces), count };
}

/** What stands before the key of a record whose timestamp counts from another base. */
function recordHead(records: RawRecords, timestampDelta: number): Buffer {
  const fields = Buffer.alloc(recordHeadBytesMax);
  const deltaEnd = writeVarlong(fields, timestampDelta, 1);
  const end = writeVarint(fields, records.offsetDelta, deltaEnd);
  const length = end + records.end - records.bodyAt;
  const head = Buffer.alloc(sizeOfVarint(length) + end);
  const at = writeVarint(head, length, 0);
  fields.copy(head, at, 0, end);
  return head;
}

function withCrc(bytes: Buffer): Buffer {
  bytes.writeUInt32BE(crc32c(bytes.subarray(layout.attributes)), layout.crc);
  return bytes;
}
