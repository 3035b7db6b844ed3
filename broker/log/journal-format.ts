/**
 * Blocks of the flush journal. One flush round is one block, and begins on a page of its own: writing
 * it never touches bytes that an earlier round made durable.
 *
 * | bytes | field |
 * |---|---|
 * | 4 | `HWJ1` |
 * | 4 | CRC-32C of everything behind it, up to the end of the last payload |
 * | 8 | sequence: one more than that of the block before |
 * | 4 | bytes of the block, without padding |
 * | 4 | number of entries; then for each: |
 * | 20, 8, 8, 4 | log key, base offset of the segment, byte position in it, bytes |
 * | … | the bytes of all entries, in their order |
 * | … | zeros up to the next multiple of 4,096 |
 */
import { type Offset, offset } from '../../proto/model/offset.ts';
import { crc32c } from '../../proto/wire/crc32c.ts';
import { readInt64, writeInt64 } from '../../proto/wire/int64.ts';
import { decodeLogKey, encodeLogKey, type LogKey, logKeyBytes } from './log-key.ts';

/** Bytes of one log that a round writes once more: where they belong, and the bytes. */
export interface JournalEntry {
  readonly key: LogKey;
  readonly segmentBase: Offset;
  /** Byte position in the segment. */
  readonly position: number;
  readonly buffers: readonly Buffer[];
  readonly bytes: number;
}

/** What the head of a block says about the whole of it. */
export interface BlockHead {
  readonly sequence: number;
  /** Without padding. */
  readonly bytes: number;
}

/** Blocks begin at multiples of it: the page that the kernel writes at once. */
export const blockAlignment = 4096;

export const blockHeadBytes = 24;
const entryBytes = logKeyBytes + 20;
const magic = 0x48574a31;

/** Bytes of a block with its padding. */
export function paddedBytes(bytes: number): number {
  return Math.ceil(bytes / blockAlignment) * blockAlignment;
}

/** Bytes of a block without padding. */
export function blockBytes(entries: readonly JournalEntry[]): number {
  let bytes = blockHeadBytes + entryBytes * entries.length;
  for (const entry of entries) bytes += entry.bytes;
  return bytes;
}

/** Payloads smaller than this, on average, are cheaper copied into one piece than written as they are. */
const scatteredBytesMin = 16 * 1024;

/**
 * The block as buffers to be written one behind the other. Large payloads are not copied; many small
 * ones are, into `scratch` if the block fits, which the caller leaves alone until it is written.
 */
export function encodeBlock(
  entries: readonly JournalEntry[],
  sequence: number,
  scratch: Buffer,
): Buffer[] {
  const bytes = blockBytes(entries);
  const padded = paddedBytes(bytes);
  const headBytes = blockHeadBytes + entryBytes * entries.length;
  const isCopied = padded <= scratch.length && bytes < scatteredBytesMin * entries.length;
  const head = isCopied ? scratch.subarray(0, padded) : Buffer.allocUnsafe(headBytes);
  head.writeUInt32BE(magic, 0);
  writeInt64(head, sequence, 8);
  head.writeUInt32BE(bytes, 16);
  head.writeUInt32BE(entries.length, 20);
  let at = blockHeadBytes;
  for (const entry of entries) {
    keyBytesOf(entry.key).copy(head, at);
    writeInt64(head, entry.segmentBase, at + 20);
    writeInt64(head, entry.position, at + 28);
    head.writeUInt32BE(entry.bytes, at + 36);
    at += entryBytes;
  }
  if (!isCopied) return scattered(head, entries, padded - bytes);
  for (const entry of entries) {
    for (const payload of entry.buffers) at += payload.copy(head, at);
  }
  head.fill(0, bytes);
  head.writeUInt32BE(crc32c(head.subarray(8, bytes)), 4);
  return [head];
}

function scattered(head: Buffer, entries: readonly JournalEntry[], padding: number): Buffer[] {
  let crc = crc32c(head.subarray(8));
  const buffers: Buffer[] = [head];
  for (const entry of entries) {
    for (const payload of entry.buffers) {
      crc = crc32c(payload, crc);
      buffers.push(payload);
    }
  }
  head.writeUInt32BE(crc, 4);
  if (padding > 0) buffers.push(Buffer.alloc(padding));
  return buffers;
}

/** A log that is busy is in every round: its key is encoded once. */
const encodedKeys = new WeakMap<LogKey, Buffer>();

function keyBytesOf(key: LogKey): Buffer {
  const known = encodedKeys.get(key);
  if (known !== undefined) return known;
  const encoded = encodeLogKey(key);
  encodedKeys.set(key, encoded);
  return encoded;
}

/** Reads the head of a block; undefined if there is none here. */
export function readBlockHead(bytes: Buffer): BlockHead | undefined {
  if (bytes.length < blockHeadBytes || bytes.readUInt32BE(0) !== magic) return undefined;
  const sequence = readInt64(bytes, 8);
  const length = bytes.readUInt32BE(16);
  if (sequence === undefined || sequence < 1) return undefined;
  const count = bytes.readUInt32BE(20);
  if (length < blockHeadBytes + entryBytes * count) return undefined;
  return { sequence, bytes: length };
}

/**
 * The entries of a whole block, payloads as views of it; undefined if the checksum differs, or holds
 * over entries that no round can have written.
 */
export function decodeBlock(bytes: Buffer): JournalEntry[] | undefined {
  if (crc32c(bytes.subarray(8)) !== bytes.readUInt32BE(4)) return undefined;
  const count = bytes.readUInt32BE(20);
  const entries: JournalEntry[] = [];
  let payloadAt = blockHeadBytes + entryBytes * count;
  for (let at = blockHeadBytes; entries.length < count; at += entryBytes) {
    const length = bytes.readUInt32BE(at + 36);
    const segmentBase = readInt64(bytes, at + 20) ?? -1;
    const position = readInt64(bytes, at + 28) ?? -1;
    const isPossible = payloadAt + length <= bytes.length && segmentBase >= 0 && position >= 0;
    if (!isPossible) return undefined;
    entries.push({
      key: decodeLogKey(bytes.subarray(at, at + logKeyBytes)),
      segmentBase: offset(segmentBase),
      position,
      buffers: [bytes.subarray(payloadAt, payloadAt + length)],
      bytes: length,
    });
    payloadAt += length;
  }
  return payloadAt === bytes.length ? entries : undefined;
}
