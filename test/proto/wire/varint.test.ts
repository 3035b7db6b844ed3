import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader } from '../../../proto/wire/byte-reader.ts';
import { readInt64, writeInt64 } from '../../../proto/wire/int64.ts';
import { sizeOfVarint, writeVarint, writeVarlong } from '../../../proto/wire/varint.ts';

const int32 = fc.integer();
const safe = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer(),
  fc.constantFrom(2 ** 53 - 1, 1 - 2 ** 53, 2 ** 31, -(2 ** 31) - 1),
);

/** The definition, with bigint: zigzag, then groups of seven bits. */
function reference(value: number): Buffer {
  let zigzag = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n));
  const bytes: number[] = [];
  while (zigzag >= 0x80n) {
    bytes.push(Number(zigzag & 0x7fn) | 0x80);
    zigzag >>= 7n;
  }
  return Buffer.from([...bytes, Number(zigzag)]);
}

describe('varints', () => {
  it('are written as the format defines, and read back', () => {
    fc.assert(
      fc.property(int32, (value) => {
        const bytes = Buffer.alloc(5);
        const end = writeVarint(bytes, value, 0);
        expect(bytes.subarray(0, end)).toEqual(reference(value));
        expect(sizeOfVarint(value)).toBe(end);
        const reader = new ByteReader(bytes, 0, end);
        expect(reader.varint()).toBe(value);
        expect(reader).toMatchObject({ at: end, fault: undefined });
      }),
    );
  });

  it('of 64 bits too, exact up to 2^53 - 1', () => {
    fc.assert(
      fc.property(safe, (value) => {
        const bytes = Buffer.alloc(10);
        const end = writeVarlong(bytes, value, 0);
        expect(bytes.subarray(0, end)).toEqual(reference(value));
        const reader = new ByteReader(bytes, 0, end);
        expect(reader.varlong()).toBe(value);
        expect(reader).toMatchObject({ at: end, fault: undefined });
      }),
    );
  });

  it.each([
    ['a cut one', '80', 'varint'],
    ['six bytes', '808080808001', 'varint'],
    ['more than 32 bits', 'ffffffff1f', 'varint'],
    ['needless bytes', '8000', 'varint'],
    ['needless bytes of 64 bits', '818000', 'varlong'],
    ['eleven bytes', '8080808080808080808001', 'varlong'],
    ['beyond 2^53 - 1', 'feffffffffffffff7f', 'varlong'],
    ['2^63 - 1', 'feffffffffffffffff01', 'varlong'],
    ['a cut one of 64 bits', 'ffff', 'varlong'],
  ] as const)('are refused: %s', (_what, hex, form) => {
    const reader = new ByteReader(Buffer.from(hex, 'hex'), 0, hex.length / 2);
    expect(reader[form]()).toBe(0);
    expect(reader.fault).toBeTypeOf('string');
    expect(reader.varint()).toBe(0);
  });
});

it('64-bit fields are exact or refused', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64BE(value);
      const isSafe = Number.isSafeInteger(Number(value)) && BigInt(Number(value)) === value;
      expect(readInt64(bytes, 0)).toBe(isSafe ? Number(value) : undefined);
    }),
  );
  fc.assert(
    fc.property(safe, (value) => {
      const bytes = Buffer.alloc(8);
      writeInt64(bytes, value, 0);
      expect(bytes.readBigInt64BE()).toBe(BigInt(value));
      expect(readInt64(bytes, 0)).toBe(value);
    }),
  );
});
