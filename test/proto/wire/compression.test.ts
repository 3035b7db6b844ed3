import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../../../proto/model/limits.ts';
import { BatchBuilder, unsequenced } from '../../../proto/wire/batch-builder.ts';
import { layout } from '../../../proto/wire/batch-layout.ts';
import {
  decompress,
  decompressedBytesAllowed,
  findCodec,
  isCompressionLoaded,
  loadCompression,
} from '../../../proto/wire/compression/codecs.ts';
import { type CompressionName, compressionId } from '../../../proto/wire/compression-id.ts';
import { decode } from './records.ts';

const names = ['gzip', 'snappy', 'lz4', 'zstd'] as const;
const MiB = 1024 * 1024;

/** What the command line tools make of 3,000 times `a` and five lines, in the forms they know. */
const golden = `${'a'.repeat(3000)}${[1, 2, 3, 4, 5]
  .map((line) => `line ${line} of the golden text, line ${line}\n`)
  .join('')}`;
const goldenFrames: ReadonlyArray<readonly [string, CompressionName, string]> = [
  [
    'streamed, with a checksum',
    'zstd',
    '28b52ffd0458150200740261616c696e652031206f662074686520676f6c64656e20746578742c200a32323333343435350a0a00c00ac00e58063001f600c68ab2a222ee3e87313b1fb4012fa184b0',
  ],
  [
    'with its size',
    'zstd',
    '28b52ffd64620b150200740261616c696e652031206f662074686520676f6c64656e20746578742c200a32323333343435350a0a00c00ac00e58063001f600c68ab2a222ee3e87313b1fb4012fa184b0',
  ],
  [
    'streamed, without a checksum',
    'zstd',
    '28b52ffd0058150200740261616c696e652031206f662074686520676f6c64656e20746578742c200a32323333343435350a0a00c00ac00e58063001f600c68ab2a222ee3e87313b1fb401',
  ],
  [
    'independent blocks, a checksum',
    'lz4',
    '04224d186440a7590000001f610100ffffffffffffffffffffffaff20c6c696e652031206f662074686520676f6c64656e20746578742c201b00110a07001f32220007123222001f33220007123322001f34220007123422001f35220004506e6520350a000000002e4fac83',
  ],
  [
    'content size, checksums of blocks',
    'lz4',
    '04224d187c40620c000000000000ca590000001f610100ffffffffffffffffffffffaff20c6c696e652031206f662074686520676f6c64656e20746578742c201b00110a07001f32220007123222001f33220007123322001f34220007123422001f35220004506e6520350a923ab474000000002e4fac83',
  ],
];

beforeAll(async () => {
  for (const name of names) await loadCompression(name);
});

/** Compares as bytes: a matcher that walks megabytes one by one takes minutes. */
function expectBytes(actual: unknown, expected: Buffer): void {
  expect(Buffer.isBuffer(actual) ? actual.equals(expected) : actual).toBe(true);
}

function compressed(name: CompressionName, bytes: Buffer): Buffer {
  const codec = findCodec(compressionId(name));
  expect(codec).toBeDefined();
  return codec?.compress(bytes) ?? Buffer.alloc(0);
}

describe.each(names)('%s', (name) => {
  const id = compressionId(name);

  it('gives back what went in, empty and large', () => {
    for (const length of [0, 1, 70_000, 5 * MiB]) {
      const bytes = Buffer.alloc(length, 'highwater ');
      expectBytes(decompress(id, compressed(name, bytes)), bytes);
    }
  });

  it('takes everything up to the largest batch, however well it compresses', () => {
    const bytes = Buffer.alloc(limits.batchBytesMax);
    expectBytes(decompress(id, compressed(name, bytes)), bytes);
  });

  it('refuses a bomb before it goes off', () => {
    const bomb = compressed(name, Buffer.alloc(decompressedBytesAllowed(8 * MiB) + 1));
    const before = process.memoryUsage();
    expect(decompress(id, bomb)).toMatchObject({ kind: 'fault', code: 'RECORD_TOO_LARGE' });
    const after = process.memoryUsage();
    expect(after.external + after.heapUsed - before.external - before.heapUsed).toBeLessThan(
      100 * MiB,
    );
  });

  it('refuses a frame cut anywhere, and noise', () => {
    const frame = compressed(name, Buffer.from(golden));
    for (let cut = 0; cut < frame.length; cut++) {
      expect(Buffer.isBuffer(decompress(id, frame.subarray(0, cut)))).toBe(false);
    }
    expect(decompress(id, Buffer.alloc(100, 0xa5))).toMatchObject({ code: 'CORRUPT_BATCH' });
  });
});

it('the bound is a whole batch, then the ratio, then the bytes', () => {
  expect(decompressedBytesAllowed(1)).toBe(limits.batchBytesMax);
  expect(decompressedBytesAllowed(20_000)).toBe(20_000 * limits.decompressionRatioMax);
  expect(decompressedBytesAllowed(MiB)).toBe(limits.decompressedBytesMax);
});

it.each(goldenFrames)('reads a frame of the command line tool, %s (%s)', (_what, name, hex) => {
  expect(decompress(compressionId(name), Buffer.from(hex, 'hex'))).toEqual(Buffer.from(golden));
});

describe('lz4', () => {
  it('refuses blocks that depend on each other, as Kafka does', () => {
    const frame = compressed('lz4', Buffer.from(golden));
    frame.writeUInt8(frame.readUInt8(4) & ~0x20, 4);
    expect(decompress(3, frame)).toMatchObject({ code: 'CORRUPT_BATCH' });
  });

  it('measures small blocks of a large block size exactly', () => {
    // 20 blocks of up to 4 MiB that hold a byte each: 80 MiB at most, 20 bytes in truth.
    const head = Buffer.from('04224d186070', 'hex');
    const blocks = Buffer.concat(
      Array.from({ length: 20 }, () => Buffer.from('020000001061', 'hex')),
    );
    const frame = Buffer.concat([head, Buffer.from('73', 'hex'), blocks, Buffer.alloc(4)]);
    expect(decompress(3, frame)).toEqual(Buffer.alloc(20, 'a'));
  });
});

describe('snappy', () => {
  it('reads the framing of the Java library', () => {
    const parts = [Buffer.alloc(40_000, 'abc'), Buffer.alloc(10, 'z')];
    const blocks = parts.flatMap((part) => {
      const block = compressed('snappy', part);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(block.length);
      return [length, block];
    });
    const head = Buffer.from('82534e41505059000000000100000001', 'hex');
    expect(decompress(2, Buffer.concat([head, ...blocks]))).toEqual(Buffer.concat(parts));
    const cut = Buffer.concat([head, ...blocks]).subarray(0, -1);
    expect(decompress(2, cut)).toMatchObject({ code: 'CORRUPT_BATCH' });
  });

  it('refuses a block that states 4 GiB', () => {
    const lie = Buffer.from('ffffffff0f00', 'hex');
    expect(decompress(2, lie)).toMatchObject({ code: 'RECORD_TOO_LARGE' });
  });
});

describe('zstd', () => {
  it('refuses a stated size beyond the bound without setting memory aside', () => {
    const frame = Buffer.from('28b52ffda000000040010000', 'hex');
    expect(decompress(4, frame)).toMatchObject({ code: 'RECORD_TOO_LARGE' });
  });

  it('refuses repeated bytes beyond the bound in a frame that states no size', () => {
    const repeat = Buffer.alloc(3);
    repeat.writeUIntLE((128 * 1024 * 8) | 2, 0, 3);
    const block = Buffer.concat([repeat, Buffer.from('a')]);
    const last = Buffer.from([block.readUInt8(0) | 1, ...block.subarray(1)]);
    const blocks = Buffer.concat([...Array.from({ length: 600 }, () => block), last]);
    const frame = Buffer.concat([Buffer.from('28b52ffd0058', 'hex'), blocks]);
    expect(decompress(4, frame)).toMatchObject({ code: 'RECORD_TOO_LARGE' });
  });
});

it('records that do not shrink stay as they are', () => {
  const builder = new BatchBuilder({ bytesMax: 1000 });
  builder.append(1, null, Buffer.from('7f3a', 'hex'));
  const codec = findCodec(1);
  const batch = builder.seal(codec === undefined ? unsequenced : { ...unsequenced, codec });
  expect(batch.readInt16BE(layout.attributes)).toBe(0);
  expect(decode(batch)).toHaveLength(1);
});

it('a nested batch is only bytes: nothing is decompressed twice', () => {
  const inner = gzipSync(Buffer.alloc(1000));
  const builder = new BatchBuilder({ bytesMax: 10_000 });
  builder.append(1, null, Buffer.concat([inner, Buffer.alloc(2000)]));
  const codec = findCodec(1);
  const read = decode(builder.seal(codec === undefined ? unsequenced : { ...unsequenced, codec }));
  expect(read).toMatchObject([{ value: Buffer.concat([inner, Buffer.alloc(2000)]) }]);
});

it('none and gzip are always there', () => {
  expect(isCompressionLoaded(0)).toBe(true);
  expect(isCompressionLoaded(1)).toBe(true);
});
