import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BatchBuilder } from '../../../proto/wire/batch-builder.ts';
import { batchMagic, layout } from '../../../proto/wire/batch-layout.ts';
import { nextBatch } from '../../../proto/wire/batch-scan.ts';
import { crc32c } from '../../../proto/wire/crc32c.ts';
import { writeInt64 } from '../../../proto/wire/int64.ts';
import { openBatch } from '../../../proto/wire/open-batch.ts';
import type { PeerRecord } from './peers.ts';
import { decode, encode, sampleRecords } from './records.ts';

/** A batch around records given as hex, with a right checksum. */
function batchOf(hex: string, recordCount: number, baseTimestamp = 0): Buffer {
  const batch = Buffer.concat([
    Buffer.alloc(layout.records),
    Buffer.from(hex.replaceAll(' ', ''), 'hex'),
  ]);
  batch.writeInt32BE(batch.length - layout.leaderEpoch, layout.batchLength);
  batch.writeUInt8(batchMagic, layout.magic);
  batch.writeInt32BE(Math.max(0, recordCount - 1), layout.lastOffsetDelta);
  writeInt64(batch, baseTimestamp, layout.baseTimestamp);
  batch.writeInt32BE(recordCount, layout.recordCount);
  batch.writeUInt32BE(crc32c(batch.subarray(layout.attributes)), layout.crc);
  return batch;
}

describe('a batch with a right checksum', () => {
  it('is read if its records are well formed', () => {
    // length 7: attributes, time +0, offset +0, key "k", value null, no headers
    expect(decode(batchOf('0e 00 00 00 02 6b 01 00', 1, 5))).toEqual([
      { timestamp: 5, key: Buffer.from('k'), value: null, headers: {} },
    ]);
  });

  it.each([
    ['a record longer than the batch', '10 00 00 00 02 6b 01 00', 1],
    ['a negative record length', '0d 00 00 00 02 6b 01 00', 1],
    ['a record shorter than its fields', '0c 00 00 00 02 6b 01 00', 1],
    ['bytes behind the headers of a record', '10 00 00 00 02 6b 01 00 00', 1],
    ['bytes behind the last record', '0e 00 00 00 02 6b 01 00 00', 1],
    ['fewer records than it says', '0e 00 00 00 02 6b 01 00', 2],
    ['a key that reaches beyond its record', '0e 00 00 00 7e 6b 01 00', 1],
    ['a key length of -2', '0e 00 00 00 03 6b 01 00', 1],
    ['a value that reaches beyond its record', '0e 00 00 00 02 6b 04 00', 1],
    ['a value length of -2', '0e 00 00 00 02 6b 03 00', 1],
    ['a negative header count', '0e 00 00 00 02 6b 01 01', 1],
    ['more headers than bytes', '0e 00 00 00 02 6b 01 7e', 1],
    ['2^31 - 1 headers', '16 00 00 00 02 6b 01 feffffff0f', 1],
    ['a header without a key', '12 00 00 00 02 6b 01 02 01 01', 1],
    ['a varint of six bytes', '1c 00 00 8080808080 00 02 6b 01 00 00', 1],
    ['a varint with needless bytes', '8e00 00 00 00 02 6b 01 00', 1],
    ['a timestamp delta of eleven bytes', '24 00 8080808080808080808001 00 02 6b 01 00 00', 1],
    ['a timestamp beyond 2^53 - 1', '20 00 feffffffffffffff7f 00 02 6b 01 00 00', 1],
    ['record attributes that are not 0', '0e 01 00 00 02 6b 01 00', 1],
    ['an offset delta beyond the last', '0e 00 00 02 02 6b 01 00', 1],
    ['a negative offset delta', '0e 00 00 01 02 6b 01 00', 1],
    ['the same offset twice', '0e 00 00 00 02 6b 01 00 0e 00 00 00 02 6b 01 00', 2],
  ])('is refused with %s', (_what, hex, count) => {
    const refusal = decode(batchOf(hex, count));
    expect(refusal).toMatchObject({ kind: 'fault' });
    expect(['INVALID_RECORD', 'CORRUPT_BATCH']).toContain('code' in refusal && refusal.code);
  });

  it('is refused if base and delta together pass 2^53 - 1', () => {
    expect(decode(batchOf('0e 00 02 00 02 6b 01 00', 1, 2 ** 53 - 2))).toMatchObject([
      { timestamp: 2 ** 53 - 1 },
    ]);
    expect(decode(batchOf('0e 00 04 00 02 6b 01 00', 1, 2 ** 53 - 2))).toMatchObject({
      code: 'INVALID_RECORD',
    });
  });

  it('may have gaps in its offsets after compaction', () => {
    const batch = batchOf('0e 00 00 02 02 6b 01 00', 1);
    batch.writeInt32BE(9, layout.lastOffsetDelta);
    batch.writeUInt32BE(crc32c(batch.subarray(layout.attributes)), layout.crc);
    const header = nextBatch(batch, 0);
    const cursor = header.kind === 'batch' ? openBatch(batch, header) : header;
    expect('next' in cursor && cursor.next() && cursor.offset).toBe(1);
  });
});

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const record: fc.Arbitrary<PeerRecord> = fc.record({
  timestamp: fc.oneof(fc.maxSafeNat(), fc.nat()),
  key: fc.option(bytes),
  value: fc.option(bytes),
  headers: fc.dictionary(fc.string({ unit: 'grapheme' }), bytes, { noNullPrototype: true }),
});

describe('any records', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 20 }), (records) => {
        expect(decode(encode(records))).toEqual(records);
      }),
    );
  });

  it('are never read from a batch with a flipped bit or a missing end', () => {
    const batch = encode(sampleRecords().slice(0, 8));
    const offsetOrEpoch = (bit: number): boolean => {
      const at = bit >> 3;
      return at < layout.batchLength || (at >= layout.leaderEpoch && at < layout.magic);
    };
    for (let bit = 0; bit < batch.length * 8; bit += 3) {
      if (offsetOrEpoch(bit)) continue; // The leader writes these; the log checks them otherwise.
      const flipped = Buffer.from(batch);
      flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(nextBatch(flipped, 0).kind).not.toBe('batch');
    }
    for (let cut = 0; cut < batch.length; cut++) {
      expect(nextBatch(batch.subarray(0, cut), 0).kind).not.toBe('batch');
    }
  });
});

describe('the builder', () => {
  it('writes strings as UTF-8, long and short, and lone surrogates as the replacement', () => {
    const builder = new BatchBuilder({ bytesMax: 1_000_000, bytesExpected: 0 });
    const texts = ['', 'abc', 'größe', '日本'.repeat(50), 'x'.repeat(100), '😀', 'a\ud800b'];
    for (const text of texts) expect(builder.append(1, text, text, { [text]: text })).toBe(true);
    const read = decode(builder.seal());
    const expected = texts.map((text) => Buffer.from(text));
    expect(Array.isArray(read) && read.map(({ key }) => key)).toEqual(expected);
    expect(Array.isArray(read) && read.map(({ headers }) => Object.values(headers)[0])).toEqual(
      expected,
    );
  });

  it('keeps headers of the same key, in order, when they are given as pairs', () => {
    const builder = new BatchBuilder({ bytesMax: 1000 });
    const pairs = [
      ['a', 'one'],
      ['b', null],
      ['a', 'two'],
    ] as const;
    builder.append(0, null, 'v', pairs);
    const batch = builder.seal();
    const header = nextBatch(batch, 0);
    const cursor = header.kind === 'batch' ? openBatch(batch, header) : header;
    expect('next' in cursor && cursor.next() && cursor.headers()).toEqual(
      pairs.map(([key, value]) => ({ key, value: value === null ? null : Buffer.from(value) })),
    );
  });

  it('writes lengths of every size, whatever it expected', () => {
    for (const length of [
      0, 50, 56, 57, 63, 64, 8_180, 8_191, 8_192, 70_000, 1_048_576, 1_100_000,
    ]) {
      const value = Buffer.alloc(length, 7);
      const name = 'h'.repeat(length % 9000);
      const read = decode(encode([{ timestamp: 9, key: null, value, headers: { [name]: value } }]));
      const [record] = Array.isArray(read) ? read : [];
      expect(record?.value?.equals(value)).toBe(true);
      expect(record?.headers[name]?.equals(value)).toBe(true);
    }
  });

  it('refuses a record that does not fit and stays as it was', () => {
    const builder = new BatchBuilder({ bytesMax: 200, bytesExpected: 64 });
    expect(builder.append(10, 'a', 'first')).toBe(true);
    const before = builder.byteLength;
    expect(builder.append(99, 'b', 'x'.repeat(500))).toBe(false);
    expect(builder.append(99, 'b', 'x'.repeat(100), { name: 'y'.repeat(60) })).toBe(false);
    expect(builder).toMatchObject({ byteLength: before, recordCount: 1 });
    expect(builder.append(11, 'c', 'last')).toBe(true);
    expect(decode(builder.seal())).toMatchObject([{ timestamp: 10 }, { timestamp: 11 }]);
  });

  it('fills a batch to its limit and not a byte further', () => {
    for (let bytesMax = 70; bytesMax < 200; bytesMax++) {
      const builder = new BatchBuilder({ bytesMax });
      while (builder.append(0, 'k', 'value'));
      expect(builder.byteLength).toBeLessThanOrEqual(bytesMax);
      expect(builder.byteLength).toBeGreaterThan(bytesMax - 14);
    }
  });
});
