/**
 * The head of a batch, read without touching its records: all that a broker ever reads.
 *
 * Invariants of a `BatchHeader`: (1) the whole batch lies between `at` and `at + byteLength` of the
 * bytes it was read from; (2) its numbers are exact and its last offset is a safe integer;
 * (3) 0 <= recordCount <= lastOffsetDelta + 1, since compaction leaves gaps and even empty batches.
 * The checksum is a separate question: `crcMatches`.
 */
import { limits } from '../model/limits.ts';
import { type Offset, offset } from '../model/offset.ts';
import { type BatchFault, batchFault } from './batch-fault.ts';
import {
  attributeBits,
  batchHeaderBytes,
  batchMagic,
  batchPrefixBytes,
  layout,
  recordBytesMin,
} from './batch-layout.ts';
import { type CompressionId, isCompressionId } from './compression-id.ts';
import { crc32c } from './crc32c.ts';
import { readInt64 } from './int64.ts';

export interface BatchHeader {
  readonly kind: 'batch';
  /** Position of the batch in the bytes it was read from. */
  readonly at: number;
  /** All of the batch, its head included. */
  readonly byteLength: number;
  readonly baseOffset: Offset;
  /** Offset of the last record, inclusive; of the last one that was, in a compacted batch. */
  readonly lastOffset: Offset;
  readonly lastOffsetDelta: number;
  /** -1 or whatever a client wrote, until a leader has stamped the batch. */
  readonly leaderEpoch: number;
  readonly crc: number;
  readonly attributes: number;
  readonly compression: CompressionId;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  /** -1: the producer is not idempotent. */
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly recordCount: number;
}

/** The bytes end inside the batch: a torn tail of a file, or an unfinished message. */
export interface TornBatch {
  readonly kind: 'torn';
  readonly at: number;
  /** Bytes that the batch needs from `at`; of its first fields alone if even those are cut. */
  readonly bytesNeeded: number;
}

/** Reads the head of the batch at a position. Nothing from `end` on is looked at. */
export function readBatchHeader(
  bytes: Buffer,
  at: number,
  end: number = bytes.length,
): BatchHeader | TornBatch | BatchFault {
  if (end - at < layout.leaderEpoch) return { kind: 'torn', at, bytesNeeded: batchHeaderBytes };
  const byteLength = bytes.readInt32BE(at + layout.batchLength) + batchPrefixBytes;
  if (byteLength < batchHeaderBytes || byteLength > limits.batchBytesMax) {
    return batchFault('CORRUPT_BATCH', `a batch length of ${byteLength} bytes`);
  }
  // The magic comes first of all that is not a length: a foreign format has other fields behind it.
  if (end - at > layout.magic && bytes[at + layout.magic] !== batchMagic) {
    return batchFault('CORRUPT_BATCH', `magic ${bytes[at + layout.magic]} is not 2`);
  }
  if (byteLength > end - at) return { kind: 'torn', at, bytesNeeded: byteLength };
  return readWholeHeader(bytes, at, byteLength);
}

/** True if the checksum covers these bytes. */
export function crcMatches(bytes: Buffer, header: BatchHeader): boolean {
  const covered = bytes.subarray(header.at + layout.attributes, header.at + header.byteLength);
  return crc32c(covered) === header.crc;
}

function readWholeHeader(bytes: Buffer, at: number, byteLength: number): BatchHeader | BatchFault {
  const baseOffset = readInt64(bytes, at + layout.baseOffset);
  const lastOffsetDelta = bytes.readInt32BE(at + layout.lastOffsetDelta);
  const recordCount = bytes.readInt32BE(at + layout.recordCount);
  const baseTimestamp = readInt64(bytes, at + layout.baseTimestamp);
  const maxTimestamp = readInt64(bytes, at + layout.maxTimestamp);
  const producerId = readInt64(bytes, at + layout.producerId);
  const attributes = bytes.readUInt16BE(at + layout.attributes);
  const compression = attributes & attributeBits.codec;

  if (baseOffset === undefined || baseOffset < 0) return corrupt('a base offset out of range');
  if (producerId === undefined) return corrupt('a producer id out of range');
  if (baseTimestamp === undefined || maxTimestamp === undefined) {
    return batchFault('INVALID_TIMESTAMP', 'a timestamp beyond 2^53 - 1');
  }
  if (lastOffsetDelta < 0) return corrupt(`a last offset delta of ${lastOffsetDelta}`);
  if (!Number.isSafeInteger(baseOffset + lastOffsetDelta + 1)) {
    return corrupt('a last offset out of range');
  }
  if (recordCount < 0 || recordCount > lastOffsetDelta + 1) {
    return corrupt(`${recordCount} records with a last offset delta of ${lastOffsetDelta}`);
  }
  if (!isCompressionId(compression)) {
    return batchFault('UNSUPPORTED_COMPRESSION', `compression codec ${compression} is not known`);
  }
  if (compression === 0 && recordCount * recordBytesMin > byteLength - batchHeaderBytes) {
    return corrupt(`${recordCount} records do not fit ${byteLength} bytes`);
  }
  return {
    kind: 'batch',
    at,
    byteLength,
    baseOffset: offset(baseOffset),
    lastOffset: offset(baseOffset + lastOffsetDelta),
    lastOffsetDelta,
    leaderEpoch: bytes.readInt32BE(at + layout.leaderEpoch),
    crc: bytes.readUInt32BE(at + layout.crc),
    attributes,
    compression,
    baseTimestamp,
    maxTimestamp,
    producerId,
    producerEpoch: bytes.readInt16BE(at + layout.producerEpoch),
    baseSequence: bytes.readInt32BE(at + layout.baseSequence),
    recordCount,
  };
}

function corrupt(reason: string): BatchFault {
  return batchFault('CORRUPT_BATCH', reason);
}
