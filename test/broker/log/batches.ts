/** Record batches for log tests: well formed for a broker, their records opaque. */
import { batchHeaderBytes, batchPrefixBytes, layout } from '../../../proto/wire/batch-layout.ts';
import { crc32c } from '../../../proto/wire/crc32c.ts';
import { writeInt64 } from '../../../proto/wire/int64.ts';

export interface BatchWish {
  readonly baseOffset: number;
  readonly count?: number;
  readonly epoch?: number;
  readonly timestamp?: number;
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  /** Bytes of the records; filled with `fill`. */
  readonly payload?: number;
  readonly fill?: number;
}

/** A batch of `count` offsets, stamped. */
export function batch(wish: BatchWish): Buffer {
  const count = wish.count ?? 1;
  const payload = Math.max(wish.payload ?? 0, 7 * count);
  const bytes = Buffer.alloc(batchHeaderBytes + payload, wish.fill ?? 0x61);
  writeInt64(bytes, wish.baseOffset, layout.baseOffset);
  bytes.writeInt32BE(bytes.length - batchPrefixBytes, layout.batchLength);
  bytes.writeInt32BE(wish.epoch ?? 0, layout.leaderEpoch);
  bytes[layout.magic] = 2;
  bytes.writeInt16BE(0, layout.attributes);
  bytes.writeInt32BE(count - 1, layout.lastOffsetDelta);
  writeInt64(bytes, wish.timestamp ?? 1, layout.baseTimestamp);
  writeInt64(bytes, wish.timestamp ?? 1, layout.maxTimestamp);
  writeInt64(bytes, wish.producerId ?? -1, layout.producerId);
  bytes.writeInt16BE(wish.producerEpoch ?? -1, layout.producerEpoch);
  bytes.writeInt32BE(wish.baseSequence ?? -1, layout.baseSequence);
  bytes.writeInt32BE(count, layout.recordCount);
  bytes.writeUInt32BE(crc32c(bytes.subarray(layout.attributes)), layout.crc);
  return bytes;
}
