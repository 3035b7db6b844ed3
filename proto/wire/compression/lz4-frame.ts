/**
 * How large an LZ4 frame becomes, found without decompressing it: the frame need not say, and the
 * library would allocate as it goes.
 *
 * | bytes  | field                                                                        |
 * |-------:|------------------------------------------------------------------------------|
 * |      4 | magic 0x184D2204, little-endian                                              |
 * |      1 | FLG: 2 content checksum, 3 content size, 4 block checksum, 5 independent, 0 dictionary |
 * |      1 | BD: 4–6 block size, 4 = 64 KiB … 7 = 4 MiB                                   |
 * | 8, 4   | content size, dictionary id, if FLG says so                                  |
 * |      1 | header checksum                                                              |
 * |      4 | block length, highest bit: stored as it is; then the block, then its checksum |
 * |      4 | 0: end of the blocks, then the content checksum, if FLG says so              |
 */
import { type BatchFault, batchFault } from '../batch-fault.ts';

const magic = 0x184d2204;
const flag = {
  dictionary: 1 << 0,
  contentSize: 1 << 3,
  blockChecksum: 1 << 4,
  independent: 1 << 5,
};
const storedBit = 0x8000_0000;

/** Bytes after decompression: exact, or an upper bound where even that is within `bytesMax`. */
export function lz4DecompressedBytes(frame: Buffer, bytesMax: number): number | BatchFault {
  if (frame.length < 7 || frame.readUInt32LE(0) !== magic) return broken('not a frame');
  const flags = frame.readUInt8(4);
  if ((flags & flag.dictionary) !== 0) return broken('a dictionary');
  if ((flags & flag.independent) === 0) return broken('dependent blocks');
  const blockMax = blockBytesMax(frame.readUInt8(5));
  if (blockMax === undefined) return broken('a block size');

  const checksumBytes = (flags & flag.blockChecksum) === 0 ? 0 : 4;
  const from = 7 + ((flags & flag.contentSize) === 0 ? 0 : 8);
  // The bound by whole blocks is cheap; following every sequence settles the rest.
  const bound = sumBlocks(frame, { from, checksumBytes }, () => blockMax);
  if (typeof bound !== 'number' || bound <= bytesMax) return bound;
  return sumBlocks(frame, { from, checksumBytes }, (at, to) => blockBytes(frame, at, to));
}

/** Adds up the stored blocks as they are and the compressed ones as `measure` says. */
function sumBlocks(
  frame: Buffer,
  blocks: { readonly from: number; readonly checksumBytes: number },
  measure: (from: number, to: number) => number,
): number | BatchFault {
  let total = 0;
  let at = blocks.from;
  while (at + 4 <= frame.length) {
    const word = frame.readUInt32LE(at);
    if (word === 0) return total;
    const length = word % storedBit;
    const from = at + 4;
    if (from + length + blocks.checksumBytes > frame.length) return broken('a cut block');
    total += word >= storedBit ? length : measure(from, from + length);
    at = from + length + blocks.checksumBytes;
  }
  return broken('no end mark');
}

function blockBytesMax(descriptor: number): number | undefined {
  const code = (descriptor >> 4) & 0b111;
  return code < 4 ? undefined : 2 ** (8 + 2 * code);
}

/** Adds up the literals and matches of one block, following its sequences. */
function blockBytes(frame: Buffer, from: number, to: number): number {
  let total = 0;
  let at = from;
  const extended = (nibble: number): number => {
    let length = nibble;
    if (nibble === 15) {
      let byte = 255;
      while (byte === 255 && at < to) {
        byte = frame.readUInt8(at++);
        length += byte;
      }
    }
    return length;
  };
  while (at < to) {
    const token = frame.readUInt8(at++);
    const literals = extended(token >> 4);
    at += literals;
    total += literals;
    if (at >= to) break; // The last sequence has literals only.
    at += 2;
    total += extended(token & 15) + 4;
  }
  return total;
}

function broken(what: string): BatchFault {
  return batchFault('CORRUPT_BATCH', `lz4: ${what}`);
}
