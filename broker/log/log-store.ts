/**
 * What the logs keep in the `meta` store: a record per log, a mark per log that may hold bytes above
 * its record, snapshots of producer state, and the directory's storage stamp.
 *
 * Every commit is durable when it resolves, and takes effect in the order of the calls. A failed one
 * ends the node (rule B5.2), so nobody catches it to go on.
 */
import { type Offset, offset } from '../../proto/model/offset.ts';
import type { KeyValueChange, KeyValueStore } from '../../proto/ports/key-value.ts';
import { readInt64, writeInt64 } from '../../proto/wire/int64.ts';
import {
  type CompactionMark,
  decodeCompactionMark,
  encodeCompactionMark,
} from './compaction/compaction-mark.ts';
import type { ProducerSnapshot } from './core/producer-state.ts';
import type { IoWatch } from './io-watch.ts';
import { decodeLogKey, encodeLogKey, type LogKey } from './log-key.ts';
import { decodeLogRecord, encodeLogRecord, type LogRecord } from './log-record.ts';
import { decodeProducers, encodeProducers } from './producer-snapshot.ts';

/** Tables of the `meta` store that belong to the logs. */
export const logTables = [
  'log-record',
  'log-active',
  'log-producers',
  'log-node',
  'log-compaction',
] as const;

const [records, actives, producers, node, compactions] = logTables;
const empty = Buffer.alloc(0);

/** A commit in the making; all of it happens or nothing. */
export class LogChanges {
  readonly list: KeyValueChange[] = [];

  record(key: LogKey, record: LogRecord): this {
    this.list.push({ table: records, key: encodeLogKey(key), value: encodeLogRecord(record) });
    return this;
  }

  /** The log may hold bytes above its recovery point: the next start looks at its files. */
  markActive(key: LogKey): this {
    this.list.push({ table: actives, key: encodeLogKey(key), value: empty });
    return this;
  }

  /** Everything of the log is below its recovery point. */
  markIdle(key: LogKey): this {
    this.list.push({ table: actives, key: encodeLogKey(key), value: undefined });
    return this;
  }

  /** Keeps a snapshot of producer state and forgets those below `keepFrom`. */
  producers(key: LogKey, snapshot: ProducerSnapshot, keepFrom: number): this {
    this.list.push({
      table: producers,
      key: snapshotKey(key, 0),
      removeTo: snapshotKey(key, keepFrom),
    });
    const value = encodeProducers(snapshot);
    this.list.push({ table: producers, key: snapshotKey(key, snapshot.endOffset), value });
    return this;
  }

  /** Forgets the snapshots that cover anything at or above an offset. */
  cutProducers(key: LogKey, end: number): this {
    const removeTo = snapshotKey(key, Number.MAX_SAFE_INTEGER);
    this.list.push({ table: producers, key: snapshotKey(key, end + 1), removeTo });
    return this;
  }

  /** How far the log is compacted; undefined: its order of keys is not known any more. */
  compaction(key: LogKey, mark: CompactionMark | undefined): this {
    const value = mark === undefined ? undefined : encodeCompactionMark(mark);
    this.list.push({ table: compactions, key: encodeLogKey(key), value });
    return this;
  }

  /** Forgets the log altogether. */
  remove(key: LogKey): this {
    this.compaction(key, undefined);
    this.list.push({ table: records, key: encodeLogKey(key), value: undefined });
    this.markIdle(key);
    this.list.push({
      table: producers,
      key: snapshotKey(key, 0),
      removeTo: snapshotKey(key, Number.MAX_SAFE_INTEGER),
    });
    return this;
  }

  nodeValue(name: string, value: Buffer): this {
    this.list.push({ table: node, key: Buffer.from(name), value });
    return this;
  }
}

/** For a cut below what is compacted: what comes there has older records of its keys below it. */
export function forgetCompaction(
  changes: LogChanges,
  store: LogStore,
  cut: { readonly key: LogKey; readonly end: number },
): void {
  const mark = store.compaction(cut.key);
  if (mark !== undefined && mark.cleanedTo > cut.end) changes.compaction(cut.key, undefined);
}

/** For the beginning of a log that goes: it was compacted before anything behind it was. */
export function deleteCompacted(
  changes: LogChanges,
  store: LogStore,
  gone: { readonly key: LogKey; readonly bytes: number },
): void {
  const mark = store.compaction(gone.key);
  if (mark === undefined || gone.bytes === 0) return;
  const cleanBytes = Math.max(0, mark.cleanBytes - gone.bytes);
  changes.compaction(gone.key, { ...mark, cleanBytes });
}

/**
 * Below where files of the log may go: below its start, and only as far as a snapshot covers their
 * producers which no cut ever goes behind. Elsewhere nothing knows those batches any more (rule B6.4).
 */
export function removableTo(
  store: LogStore,
  log: { readonly key: LogKey; readonly logStartOffset: Offset; readonly highWatermark: Offset },
): Offset {
  let covered = 0;
  for (const end of store.snapshotEnds(log.key)) if (end <= log.highWatermark) covered = end;
  return covered < log.logStartOffset ? offset(covered) : log.logStartOffset;
}

/** Reads, and commits in order. */
export class LogStore {
  readonly #store: KeyValueStore;
  readonly #watch: IoWatch;

  constructor(store: KeyValueStore, watch: IoWatch) {
    this.#store = store;
    this.#watch = watch;
  }

  commit(changes: LogChanges): Promise<void> {
    return this.#watch.watch(this.#store.commit(changes.list));
  }

  /** The record; `damaged` if there is one that cannot be trusted. */
  record(key: LogKey): LogRecord | undefined | 'damaged' {
    const value = this.#store.get(records, encodeLogKey(key));
    return value === undefined ? undefined : (decodeLogRecord(value) ?? 'damaged');
  }

  /** How far the log is compacted; undefined: not at all, or that is not known. */
  compaction(key: LogKey): CompactionMark | undefined {
    const value = this.#store.get(compactions, encodeLogKey(key));
    return value === undefined ? undefined : decodeCompactionMark(value);
  }

  /** All logs that exist, in order of their keys. */
  *keys(): Iterable<LogKey> {
    for (const entry of this.#store.range(records, {})) yield decodeLogKey(entry.key);
  }

  /** The logs that were written to since their records were made: the ones that a start recovers. */
  activeKeys(): LogKey[] {
    return [...this.#store.range(actives, {})].map((entry) => decodeLogKey(entry.key));
  }

  /** Logs whose record cannot be trusted: their files are all that is known of them. */
  damagedKeys(): LogKey[] {
    return [...this.#store.range(records, {})]
      .filter(({ value }) => decodeLogRecord(value) === undefined)
      .map(({ key }) => decodeLogKey(key));
  }

  /** The latest intact snapshot that covers nothing above `end`. */
  producersAt(key: LogKey, end: number): ProducerSnapshot | undefined {
    const range = { from: snapshotKey(key, 0), to: snapshotKey(key, end + 1), reverse: true };
    for (const entry of this.#store.range(producers, range)) {
      const snapshot = decodeProducers(entry.value);
      if (snapshot !== undefined) return snapshot;
    }
    return undefined;
  }

  /** End offsets of the snapshots of a log, rising. */
  snapshotEnds(key: LogKey): number[] {
    const to = snapshotKey(key, Number.MAX_SAFE_INTEGER);
    const range = { from: snapshotKey(key, 0), to };
    return [...this.#store.range(producers, range)].map((entry) => readInt64(entry.key, 20) ?? 0);
  }

  nodeValue(name: string): Buffer | undefined {
    return this.#store.get(node, Buffer.from(name));
  }
}

function snapshotKey(key: LogKey, end: number): Buffer {
  const bytes = Buffer.alloc(28);
  encodeLogKey(key).copy(bytes);
  writeInt64(bytes, end, 20);
  return bytes;
}
