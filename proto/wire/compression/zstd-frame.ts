/**
 * How large a Zstandard frame may become, found without decompressing it. Java's clients stream and
 * leave the content size out; the blocks then give an upper bound.
 *
 * | bytes      | field                                                                    |
 * |-----------:|--------------------------------------------------------------------------|
 * |          4 | magic 0xFD2FB528, little-endian                                          |
 * |          1 | descriptor: 0–1 dictionary, 2 checksum, 3 reserved, 5 single segment, 6–7 content size |
 * |     0 or 1 | window: 3–7 exponent, 0–2 mantissa; absent in a single segment           |
 * |     0 to 4 | dictionary id                                                            |
 * | 0, 1, 2, 4, 8 | content size                                                          |
 * |          3 | block header, little-endian: 0 last, 1–2 type, 3–23 size; then the block |
 * |     0 or 4 | checksum of the content                                                  |
 */
import { type BatchFault, batchFault } from '../batch-fault.ts';

const magic = 0xfd2fb528;
const blockBytesMax = 128 * 1024;

export interface ZstdFrame {
  /** As the frame says; the decoder fails if it is not so. */
  readonly contentBytes: number | undefined;
  /** Sum of the most that each block may hold. */
  readonly bytesBound: number;
  /** Memory that a streaming decoder sets aside. */
  readonly windowBytes: number;
}

/** Reads the one frame that fills `bytes`. */
export function readZstdFrame(bytes: Buffer): ZstdFrame | BatchFault {
  if (bytes.length < 6 || bytes.readUInt32LE(0) !== magic) return broken('not a frame');
  const descriptor = bytes.readUInt8(4);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >> 6;
  const sizeBytes = sizeFlag === 0 ? Number(isSingleSegment) : 2 ** sizeFlag;
  if ((descriptor & 0x0b) !== 0) return broken('a dictionary or a reserved bit');

  const sizeAt = isSingleSegment ? 5 : 6;
  const blocksAt = sizeAt + sizeBytes;
  if (blocksAt > bytes.length) return broken('a cut head');
  const contentBytes = readContentBytes(bytes, sizeAt, sizeBytes);
  const windowBytes = isSingleSegment ? (contentBytes ?? 0) : readWindowBytes(bytes.readUInt8(5));
  const end = bytes.length - ((descriptor & 0x04) === 0 ? 0 : 4);
  const bytesBound = sumBlocks(bytes, blocksAt, end);
  if (bytesBound === undefined) return broken('blocks that do not fill the frame');
  return { contentBytes, bytesBound, windowBytes };
}

function readContentBytes(bytes: Buffer, at: number, size: number): number | undefined {
  switch (size) {
    case 1:
      return bytes.readUInt8(at);
    case 2:
      return bytes.readUInt16LE(at) + 256;
    case 4:
      return bytes.readUInt32LE(at);
    case 8:
      return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32;
    default:
      return undefined;
  }
}

function readWindowBytes(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 0b111);
}

function sumBlocks(bytes: Buffer, from: number, end: number): number | undefined {
  let total = 0;
  let at = from;
  while (at + 3 <= end) {
    const word = bytes.readUIntLE(at, 3);
    const type = (word >> 1) & 0b11;
    const size = word >> 3;
    if (type === 3) return undefined;
    at += 3 + (type === 1 ? 1 : size); // Type 1 repeats one byte `size` times.
    total += type === 2 ? blockBytesMax : size;
    if ((word & 1) !== 0) return at === end ? total : undefined;
  }
  return undefined;
}

function broken(what: string): BatchFault {
  return batchFault('CORRUPT_BATCH', `zstd: ${what}`);
}
