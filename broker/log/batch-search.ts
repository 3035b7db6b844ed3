/**
 * Looks for a good batch behind bad bytes. If there is one, the bad bytes are not just the torn end
 * of the last write (rule B4.15). Byte by byte, since damage may have hit a length field; it runs
 * only where a log is already known to be bad.
 */

import { limits } from '../../proto/model/limits.ts';
import type { FileHandle } from '../../proto/ports/file-system.ts';
import { crcMatches, readBatchHeader } from '../../proto/wire/batch-header.ts';
import { batchHeaderBytes, batchMagic, layout } from '../../proto/wire/batch-layout.ts';
import { readFully } from './segment-scan.ts';

/** Where to search, and above which offset a batch would belong to this log. */
export interface SearchRange {
  readonly from: number;
  readonly to: number;
  readonly offsetAbove: number;
}

const pieceBytes = 2 * limits.batchBytesMax;

/** A segment never holds more offsets than this above its damage; guards against chance hits. */
const offsetSpanMax = 2 ** 31;

/** The offset of the first good batch in the range; undefined if there is none. */
export async function findGoodBatch(
  file: FileHandle,
  range: SearchRange,
): Promise<number | undefined> {
  // Pieces overlap by the largest batch, so that one is always seen whole.
  const step = pieceBytes - limits.batchBytesMax;
  for (let start = range.from; start < range.to; start += step) {
    const piece = Buffer.allocUnsafeSlow(Math.min(pieceBytes, range.to - start));
    const count = await readFully(file, piece, start);
    const found = searchPiece(piece.subarray(0, count), Math.min(step, count), range.offsetAbove);
    if (found !== undefined) return found;
  }
  return undefined;
}

function searchPiece(piece: Buffer, to: number, offsetAbove: number): number | undefined {
  for (let at = 0; at < to && at + batchHeaderBytes <= piece.length; at++) {
    if (piece[at + layout.magic] !== batchMagic) continue;
    const header = readBatchHeader(piece, at);
    if (header.kind !== 'batch') continue;
    if (header.baseOffset < offsetAbove) continue;
    if (header.baseOffset > offsetAbove + offsetSpanMax) continue;
    if (crcMatches(piece, header)) return header.baseOffset;
  }
  return undefined;
}
