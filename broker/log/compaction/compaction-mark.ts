/**
 * How far a log has been compacted, in the `meta` store. Lost or damaged, the log counts as dirty from
 * its beginning, which costs a pass and nothing else.
 *
 * | bytes | field |
 * |---|---|
 * | 1 | version, 1 |
 * | 8 | below this offset each key stands once |
 * | 8 | bytes of the segments below it |
 * | 8 | when the next mark of a deleted key may go; -1 for none |
 * | 4 | CRC-32C of all before |
 */
import { crc32c } from '../../../proto/wire/crc32c.ts';
import { readInt64, writeInt64 } from '../../../proto/wire/int64.ts';

export interface CompactionMark {
  readonly cleanedTo: number;
  readonly cleanBytes: number;
  readonly nextHorizonMs: number;
}

const markBytes = 29;

export function encodeCompactionMark(mark: CompactionMark): Buffer {
  const bytes = Buffer.alloc(markBytes);
  bytes[0] = 1;
  writeInt64(bytes, mark.cleanedTo, 1);
  writeInt64(bytes, mark.cleanBytes, 9);
  writeInt64(bytes, mark.nextHorizonMs, 17);
  bytes.writeUInt32BE(crc32c(bytes.subarray(0, 25)), 25);
  return bytes;
}

/** Undefined for bytes that cannot be trusted. */
export function decodeCompactionMark(bytes: Buffer): CompactionMark | undefined {
  if (bytes.length !== markBytes || bytes[0] !== 1) return undefined;
  if (crc32c(bytes.subarray(0, 25)) !== bytes.readUInt32BE(25)) return undefined;
  const cleanedTo = readInt64(bytes, 1);
  const cleanBytes = readInt64(bytes, 9);
  const nextHorizonMs = readInt64(bytes, 17);
  if (cleanedTo === undefined || cleanBytes === undefined || nextHorizonMs === undefined) {
    return undefined;
  }
  return { cleanedTo, cleanBytes, nextHorizonMs };
}
