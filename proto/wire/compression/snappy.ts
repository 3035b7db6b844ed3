/**
 * Snappy as Kafka's clients use it, in two forms. Raw: one block, which starts with its decompressed
 * length. Framed by the Java library (xerial):
 *
 * | bytes | field                                                  |
 * |------:|--------------------------------------------------------|
 * |     8 | 82 53 4e 41 50 50 59 00                                |
 * |     4 | version                                                |
 * |     4 | least compatible version                               |
 * |     4 | length of the next block, big-endian; then the block … |
 *
 * Both are read. Raw is written: every client reads it, some read nothing else.
 */
import { type BatchFault, batchFault } from '../batch-fault.ts';
import type { CompressionCodec } from './codec.ts';
import { tooLarge } from './too-large.ts';

const xerialMagic = Buffer.from('82534e4150505900', 'hex');
const xerialHeaderBytes = 16;

type Uncompress = (block: Buffer) => Buffer;

export async function loadSnappy(): Promise<CompressionCodec> {
  const { compressSync, uncompressSync } = await import('snappy');
  const uncompress: Uncompress = (block) => uncompressSync(block, { asBuffer: true }) as Buffer;
  return {
    id: 2,
    compress: (bytes) => compressSync(bytes),
    decompress: (bytes, bytesMax) =>
      bytes.subarray(0, xerialMagic.length).equals(xerialMagic)
        ? decompressFramed(bytes, bytesMax, uncompress)
        : decompressRaw(bytes, bytesMax, uncompress),
  };
}

function decompressRaw(
  bytes: Buffer,
  bytesMax: number,
  uncompress: Uncompress,
): Buffer | BatchFault {
  const length = blockLength(bytes);
  if (length === undefined) return batchFault('CORRUPT_BATCH', 'snappy: no length');
  return length > bytesMax ? tooLarge(bytesMax) : uncompress(bytes);
}

function decompressFramed(
  bytes: Buffer,
  bytesMax: number,
  uncompress: Uncompress,
): Buffer | BatchFault {
  const blocks: Buffer[] = [];
  let total = 0;
  let at = xerialHeaderBytes;
  while (at < bytes.length) {
    if (bytes.length - at < 4) return batchFault('CORRUPT_BATCH', 'snappy: a cut frame');
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.length) return batchFault('CORRUPT_BATCH', 'snappy: a cut block');
    const block = bytes.subarray(at + 4, end);
    const length = blockLength(block);
    if (length === undefined) return batchFault('CORRUPT_BATCH', 'snappy: no length');
    total += length;
    if (total > bytesMax) return tooLarge(bytesMax);
    blocks.push(uncompress(block));
    at = end;
  }
  return Buffer.concat(blocks);
}

/** The decompressed length that a block states: an unsigned varint of at most 32 bits. */
function blockLength(block: Buffer): number | undefined {
  let length = 0;
  for (let index = 0; index < 5; index++) {
    const byte = block[index];
    if (byte === undefined) return undefined;
    length += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return length;
  }
  return undefined;
}
