import { describe, expect, it } from 'vitest';
import { leaderEpoch, offset } from '../../../proto/model/offset.ts';
import { crcMatches, readBatchHeader } from '../../../proto/wire/batch-header.ts';
import { layout } from '../../../proto/wire/batch-layout.ts';
import { nextBatch } from '../../../proto/wire/batch-scan.ts';
import { stampBatch } from '../../../proto/wire/batch-stamp.ts';
import { encode, sampleRecords } from './records.ts';

const records = sampleRecords();
const batch = encode(records, { producerId: 7, producerEpoch: 3, baseSequence: 2_147_483_647 });

describe('a head', () => {
  it('is read without its records', () => {
    expect(readBatchHeader(batch, 0)).toMatchObject({
      kind: 'batch',
      byteLength: batch.length,
      baseOffset: 0,
      lastOffset: records.length - 1,
      recordCount: records.length,
      leaderEpoch: -1,
      compression: 0,
      baseTimestamp: records[0]?.timestamp,
      maxTimestamp: Math.max(...records.map(({ timestamp }) => timestamp)),
      producerId: 7,
      producerEpoch: 3,
      baseSequence: 2_147_483_647,
    });
  });

  it('is stamped in place without touching the checksum', () => {
    const stamped = Buffer.concat([Buffer.alloc(5), batch]);
    stampBatch(stamped, 5, { baseOffset: offset(2 ** 40), leaderEpoch: leaderEpoch(9) });
    const header = readBatchHeader(stamped, 5);
    expect(header).toMatchObject({ kind: 'batch', at: 5, baseOffset: 2 ** 40, leaderEpoch: 9 });
    expect(header.kind === 'batch' && crcMatches(stamped, header)).toBe(true);
  });

  it('refuses offsets and timestamps beyond 2^53 - 1 instead of rounding them', () => {
    const atLimit = Buffer.from(batch);
    atLimit.writeBigInt64BE(2n ** 53n - 1n - BigInt(records.length), layout.baseOffset);
    expect(readBatchHeader(atLimit, 0).kind).toBe('batch');
    const beyond = [
      [layout.baseOffset, 2n ** 53n - 1n, 'CORRUPT_BATCH'],
      [layout.baseOffset, 2n ** 53n + 1n, 'CORRUPT_BATCH'],
      [layout.baseOffset, -1n, 'CORRUPT_BATCH'],
      [layout.producerId, 2n ** 62n, 'CORRUPT_BATCH'],
      [layout.baseTimestamp, 2n ** 53n, 'INVALID_TIMESTAMP'],
      [layout.maxTimestamp, -(2n ** 63n), 'INVALID_TIMESTAMP'],
    ] as const;
    for (const [at, value, code] of beyond) {
      const bad = Buffer.from(batch);
      bad.writeBigInt64BE(value, at);
      expect(readBatchHeader(bad, 0)).toMatchObject({ kind: 'fault', code });
    }
  });

  it('accepts the gaps that compaction leaves, and refuses more records than offsets', () => {
    const withCount = (count: number): Buffer => {
      const changed = Buffer.from(batch);
      changed.writeInt32BE(count, layout.recordCount);
      return changed;
    };
    expect(readBatchHeader(withCount(3), 0).kind).toBe('batch');
    expect(readBatchHeader(withCount(0), 0).kind).toBe('batch');
    expect(readBatchHeader(withCount(records.length + 1), 0).kind).toBe('fault');
    expect(readBatchHeader(withCount(-1), 0).kind).toBe('fault');
  });

  it('refuses a count of records that its bytes cannot hold', () => {
    const lying = Buffer.from(batch);
    lying.writeInt32BE(1_000_000, layout.recordCount);
    lying.writeInt32BE(999_999, layout.lastOffsetDelta);
    expect(readBatchHeader(lying, 0)).toMatchObject({ kind: 'fault', code: 'CORRUPT_BATCH' });
  });
});

describe('batches back to back', () => {
  const second = encode(records.slice(0, 3));
  const both = Buffer.concat([batch, second]);

  it('are found one after the other', () => {
    expect(nextBatch(both, 0)).toMatchObject({ kind: 'batch', at: 0 });
    expect(nextBatch(both, batch.length)).toMatchObject({ kind: 'batch', recordCount: 3 });
    expect(nextBatch(both, both.length)).toEqual({ kind: 'end' });
  });

  it('end in a tear wherever the last one is cut', () => {
    for (let cut = batch.length + 1; cut < both.length; cut++) {
      expect(nextBatch(both.subarray(0, cut), batch.length).kind).toBe('torn');
      expect(nextBatch(both, batch.length, cut).kind).toBe('torn');
    }
  });

  it('are damaged, not torn, where a byte has changed', () => {
    for (const at of [layout.magic, layout.crc, layout.attributes, batch.length - 1]) {
      const damaged = Buffer.from(both);
      damaged.writeUInt8((damaged.readUInt8(at) + 1) & 0xff, at);
      expect(nextBatch(damaged, 0)).toMatchObject({ kind: 'damaged', at: 0 });
    }
  });

  it('are damaged where the length is impossible', () => {
    for (const length of [0, 48, -1, 2 ** 31 - 1]) {
      const damaged = Buffer.from(both);
      damaged.writeInt32BE(length, layout.batchLength);
      expect(nextBatch(damaged, 0)).toMatchObject({
        kind: 'damaged',
        fault: { code: 'CORRUPT_BATCH' },
      });
    }
  });
});
