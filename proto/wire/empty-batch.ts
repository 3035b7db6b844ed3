/** Batches without records, as compaction leaves them: a span of offsets that is known to hold nothing. */
import { batchHeaderBytes, batchMagic, batchPrefixBytes, layout } from './batch-layout.ts';
import { crc32c } from './crc32c.ts';
import { readInt64, writeInt64 } from './int64.ts';

/** An offset span without records, of one leader epoch. */
export interface EmptySpan {
  readonly baseOffset: number;
  /** Inclusive. */
  readonly lastOffset: number;
  readonly leaderEpoch: number;
  readonly maxTimestamp: number;
}

/** A batch without records and without a producer. */
export function emptyBatch(span: EmptySpan): Buffer {
  const bytes = Buffer.alloc(batchHeaderBytes);
  writeInt64(bytes, span.baseOffset, layout.baseOffset);
  bytes.writeInt32BE(batchHeaderBytes - batchPrefixBytes, layout.batchLength);
  bytes.writeInt32BE(span.leaderEpoch, layout.leaderEpoch);
  bytes[layout.magic] = batchMagic;
  bytes.writeInt32BE(span.lastOffset - span.baseOffset, layout.lastOffsetDelta);
  writeInt64(bytes, span.maxTimestamp, layout.baseTimestamp);
  writeInt64(bytes, span.maxTimestamp, layout.maxTimestamp);
  writeInt64(bytes, -1, layout.producerId);
  bytes.writeInt16BE(-1, layout.producerEpoch);
  bytes.writeInt32BE(-1, layout.baseSequence);
  return sealed(bytes);
}

/** The part of an empty batch that begins at an offset inside it. */
export function emptyFrom(batch: Buffer, from: number): Buffer {
  const bytes = Buffer.from(batch);
  const base = readInt64(bytes, layout.baseOffset) ?? from;
  const delta = bytes.readInt32BE(layout.lastOffsetDelta);
  writeInt64(bytes, from, layout.baseOffset);
  bytes.writeInt32BE(base + delta - from, layout.lastOffsetDelta);
  return sealed(bytes);
}

function sealed(bytes: Buffer): Buffer {
  bytes.writeUInt32BE(crc32c(bytes.subarray(layout.attributes)), layout.crc);
  return bytes;
}
