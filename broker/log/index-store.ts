/**
 * Indexes of sealed segments, in the `index` store. It is not synced and may be wiped at any time:
 * an index that is missing or does not fit its segment is rebuilt from the segment.
 *
 * Key: log key (20 bytes), base offset (8). Value:
 *
 * | bytes | field |
 * |---|---|
 * | 8 | bytes of the segment that the index covers |
 * | 8 | largest timestamp |
 * | 24 × n | offset, position, largest timestamp before it |
 * | 4 | CRC-32C of all before |
 */
import type { KeyValueStore } from '../../proto/ports/key-value.ts';
import { crc32c } from '../../proto/wire/crc32c.ts';
import { readInt64, writeInt64 } from '../../proto/wire/int64.ts';
import { type IndexSnapshot, SparseIndex } from './core/sparse-index.ts';
import { encodeLogKey, type LogKey } from './log-key.ts';
import type { Segment } from './segment.ts';

/** Tables of the `index` store. */
export const indexTables = ['segment-index'] as const;

const table = indexTables[0];

/** What of a segment its index has to fit. */
export type IndexedSegment = Pick<Segment, 'baseOffset' | 'bytes'>;

/** One per data directory; without a store every index is rebuilt when it is needed. */
export class IndexStore {
  readonly #store: KeyValueStore;
  readonly #onFatal: (caught: unknown) => void;

  constructor(store: KeyValueStore, onFatal: (caught: unknown) => void) {
    this.#store = store;
    this.#onFatal = onFatal;
  }

  /** Keeps the index of a segment that will not change any more. */
  save(log: LogKey, segment: Segment): void {
    if (segment.index === undefined) return;
    const value = encodeIndex(segment.index.snapshot());
    this.#store
      .commit([{ table, key: indexKey(log, segment.baseOffset), value }])
      .catch(this.#onFatal);
  }

  /** The stored index, if it covers exactly the segment. */
  load(log: LogKey, segment: IndexedSegment): SparseIndex | undefined {
    const value = this.#store.get(table, indexKey(log, segment.baseOffset));
    const snapshot = value === undefined ? undefined : decodeIndex(value);
    return snapshot?.indexedTo === segment.bytes ? new SparseIndex(snapshot) : undefined;
  }

  /** Forgets the indexes of a log from a base offset on, or up to one. */
  remove(log: LogKey, from: number, to: number): void {
    this.#store
      .commit([{ table, key: indexKey(log, from), removeTo: indexKey(log, to) }])
      .catch(this.#onFatal);
  }
}

function indexKey(log: LogKey, baseOffset: number): Buffer {
  const number = Buffer.alloc(8);
  writeInt64(number, baseOffset, 0);
  return Buffer.concat([encodeLogKey(log), number]);
}

function encodeIndex(snapshot: IndexSnapshot): Buffer {
  const bytes = Buffer.alloc(16 + 8 * snapshot.entries.length + 4);
  writeInt64(bytes, snapshot.indexedTo, 0);
  writeInt64(bytes, snapshot.largestTimestamp, 8);
  let at = 16;
  for (const number of snapshot.entries) {
    writeInt64(bytes, number, at);
    at += 8;
  }
  bytes.writeUInt32BE(crc32c(bytes.subarray(0, at)), at);
  return bytes;
}

function decodeIndex(bytes: Buffer): IndexSnapshot | undefined {
  const end = bytes.length - 4;
  if (end < 16 || (end - 16) % 24 !== 0) return undefined;
  if (crc32c(bytes.subarray(0, end)) !== bytes.readUInt32BE(end)) return undefined;
  const entries: number[] = [];
  for (let at = 16; at < end; at += 8) entries.push(readInt64(bytes, at) ?? 0);
  return {
    indexedTo: readInt64(bytes, 0) ?? 0,
    largestTimestamp: readInt64(bytes, 8) ?? -1,
    entries,
  };
}
