/** Batches of real records with keys, as a leader stamps them. */
import { leaderEpoch, offset } from '../../../../proto/model/offset.ts';
import { BatchBuilder, type BatchSeal, unsequenced } from '../../../../proto/wire/batch-builder.ts';
import { readBatchHeader } from '../../../../proto/wire/batch-header.ts';
import { stampBatch } from '../../../../proto/wire/batch-stamp.ts';
import { openBatch } from '../../../../proto/wire/open-batch.ts';

/** Key, value (null: the mark of a deleted key), timestamp. */
export interface KeyedRecord {
  readonly key: string | null;
  readonly value: string | null;
  readonly timestamp?: number;
}

export interface KeyedWish {
  readonly baseOffset: number;
  readonly epoch?: number;
  readonly seal?: Partial<BatchSeal>;
}

export function keyedBatch(wish: KeyedWish, records: readonly KeyedRecord[]): Buffer {
  const builder = new BatchBuilder({ bytesMax: 1024 * 1024, bytesExpected: 256 });
  for (const { key, value, timestamp } of records) {
    builder.append(timestamp ?? 1, key, value, { trace: 'x' });
  }
  const bytes = builder.seal({ ...unsequenced, ...wish.seal });
  stampBatch(bytes, 0, {
    baseOffset: offset(wish.baseOffset),
    leaderEpoch: leaderEpoch(wish.epoch ?? 0),
  });
  return bytes;
}

/** One record as it was read back. */
export interface FoundRecord {
  readonly offset: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly timestamp: number;
}

/** One batch as it was read back. */
export interface FoundBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly producerId: number;
  readonly baseSequence: number;
  readonly records: readonly FoundRecord[];
}

/** Whole batches back to back, their records decoded. */
export function decodeBatches(bytes: Buffer): FoundBatch[] {
  const found: FoundBatch[] = [];
  for (let at = 0; at < bytes.length; ) {
    const header = readBatchHeader(bytes, at);
    if (header.kind !== 'batch') throw new Error(`no batch at ${at}`);
    const cursor = openBatch(bytes, header);
    if ('kind' in cursor) throw new Error(cursor.reason);
    const records: FoundRecord[] = [];
    while (cursor.next()) {
      const key = cursor.key()?.toString() ?? null;
      const value = cursor.value()?.toString() ?? null;
      records.push({ offset: cursor.offset, key, value, timestamp: cursor.timestamp });
    }
    const { baseOffset, lastOffset, producerId, baseSequence } = header;
    found.push({ baseOffset, lastOffset, producerId, baseSequence, records });
    at += header.byteLength;
  }
  return found;
}
