import { describe, expect, it } from 'vitest';
import { attributeBits, layout } from '../../../proto/wire/batch-layout.ts';
import { crc32c } from '../../../proto/wire/crc32c.ts';
import { checkProducedBatch } from '../../../proto/wire/produce-check.ts';
import { encode, sampleRecords } from './records.ts';

const nowMs = 1_800_000_000_000;
const records = sampleRecords().slice(0, 5);
const good = encode(records, { producerId: 7, producerEpoch: 0, baseSequence: 0 });

/** A copy with a change, and the checksum put right, so that the change itself is what is judged. */
function changed(change: (batch: Buffer) => void): Buffer {
  const batch = Buffer.from(good);
  change(batch);
  batch.writeUInt32BE(crc32c(batch.subarray(layout.attributes)), layout.crc);
  return batch;
}

function check(batch: Buffer, batchBytesMax = 1_048_576): unknown {
  return checkProducedBatch(batch, { at: 0, end: batch.length }, { batchBytesMax, nowMs });
}

const attributes =
  (bits: number) =>
  (batch: Buffer): void => {
    batch.writeUInt16BE(bits, layout.attributes);
  };
const int32 =
  (at: number, value: number) =>
  (batch: Buffer): void => {
    batch.writeInt32BE(value, at);
  };
const int64 =
  (at: number, value: bigint) =>
  (batch: Buffer): void => {
    batch.writeBigInt64BE(value, at);
  };

describe('a produced batch', () => {
  it('is taken where it lies among other bytes', () => {
    const frame = Buffer.concat([Buffer.alloc(9, 0xff), good, Buffer.alloc(9, 0xff)]);
    const span = { at: 9, end: 9 + good.length };
    expect(checkProducedBatch(frame, span, { batchBytesMax: 1_000_000, nowMs })).toMatchObject({
      kind: 'batch',
      at: 9,
      recordCount: 5,
    });
  });

  it('is taken whatever base offset and leader epoch a client wrote', () => {
    expect(check(changed(int64(layout.baseOffset, 99n)))).toMatchObject({ kind: 'batch' });
    expect(check(changed(int32(layout.leaderEpoch, 12)))).toMatchObject({ kind: 'batch' });
  });

  it('is taken with the fields that Kafka clients write beside producer id -1', () => {
    const seal = { producerId: -1, producerEpoch: 0, baseSequence: 0 };
    expect(check(encode(records, seal))).toMatchObject({ kind: 'batch' });
    expect(check(encode(records))).toMatchObject({ kind: 'batch' });
  });

  it.each([
    ['another magic', (batch: Buffer) => batch.writeUInt8(1, layout.magic), 'CORRUPT_BATCH'],
    ['a length too short', int32(layout.batchLength, 49), 'CORRUPT_BATCH'],
    ['a length too long', int32(layout.batchLength, good.length), 'CORRUPT_BATCH'],
    ['no records', int32(layout.recordCount, 0), 'INVALID_RECORD'],
    ['fewer records than offsets', int32(layout.recordCount, 4), 'INVALID_RECORD'],
    ['more records than offsets', int32(layout.recordCount, 6), 'CORRUPT_BATCH'],
    ['a negative offset delta', int32(layout.lastOffsetDelta, -1), 'CORRUPT_BATCH'],
    ['a control bit', attributes(attributeBits.control), 'INVALID_RECORD'],
    ['a transaction', attributes(attributeBits.transactional), 'INVALID_RECORD'],
    ['log append time', attributes(attributeBits.logAppendTime), 'INVALID_RECORD'],
    ['a delete horizon', attributes(attributeBits.deleteHorizon), 'INVALID_RECORD'],
    ['an unknown attribute', attributes(1 << 15), 'INVALID_RECORD'],
    ['an unknown codec', attributes(5), 'UNSUPPORTED_COMPRESSION'],
    ['a negative producer id', int64(layout.producerId, -2n), 'INVALID_RECORD'],
    [
      'a negative epoch',
      (batch: Buffer) => batch.writeInt16BE(-1, layout.producerEpoch),
      'INVALID_RECORD',
    ],
    ['a negative sequence', int32(layout.baseSequence, -1), 'INVALID_RECORD'],
    ['a negative timestamp', int64(layout.baseTimestamp, -2n), 'INVALID_TIMESTAMP'],
    [
      'a time in the far future',
      int64(layout.maxTimestamp, BigInt(nowMs) + 3_600_001n),
      'INVALID_TIMESTAMP',
    ],
    ['a time that no number holds', int64(layout.maxTimestamp, 2n ** 60n), 'INVALID_TIMESTAMP'],
  ])('is refused with %s', (_what, change, code) => {
    expect(check(changed(change))).toMatchObject({ kind: 'fault', code });
  });

  it('is refused with a wrong checksum, one byte too many or too few', () => {
    const flipped = Buffer.from(good);
    flipped.writeUInt8(flipped.readUInt8(flipped.length - 1) ^ 1, flipped.length - 1);
    expect(check(flipped)).toMatchObject({ code: 'CORRUPT_BATCH' });
    expect(check(Buffer.concat([good, Buffer.alloc(1)]))).toMatchObject({ code: 'CORRUPT_BATCH' });
    expect(check(good.subarray(0, good.length - 1))).toMatchObject({ code: 'CORRUPT_BATCH' });
    expect(check(good.subarray(0, 5))).toMatchObject({ code: 'CORRUPT_BATCH' });
    expect(check(Buffer.alloc(0))).toMatchObject({ code: 'CORRUPT_BATCH' });
  });

  it('is refused above the size that the topic takes', () => {
    expect(check(good, good.length)).toMatchObject({ kind: 'batch' });
    expect(check(good, good.length - 1)).toMatchObject({ kind: 'fault', code: 'RECORD_TOO_LARGE' });
  });

  it('may carry sequences that wrap at 2^31 - 1', () => {
    expect(check(changed(int32(layout.baseSequence, 2 ** 31 - 1)))).toMatchObject({
      kind: 'batch',
    });
  });
});
