/**
 * The log as the core sees it: all entries after `base`, in memory. Snapshots keep it short.
 *
 * A view never changes: append, cut and trim return another one. Views of one history share their
 * entries; only a view that was appended to before has to copy them.
 *
 * Invariants: (1) indexes are contiguous from `base.index + 1`; (2) terms never fall along the log;
 *             (3) what lies at or before `base` is in a snapshot (rule B4.11: no gap).
 */
import { invariant } from '../../../proto/model/invariant.ts';
import { type LogIndex, logIndex, type Term } from '../../../proto/model/offset.ts';
import { entryBytes, type LogEntry, type LogPosition } from './entry.ts';

export class LogView {
  /** The position before the first entry; index 0 and term 0 where nothing was ever trimmed. */
  readonly base: LogPosition;
  /** Bytes of all entries, as bounds count them. */
  readonly bytes: number;
  /** Shared with other views, which may have appended beyond `#count`. */
  readonly #entries: LogEntry[];
  readonly #count: number;

  private constructor(base: LogPosition, entries: LogEntry[], bytes: number) {
    this.base = base;
    this.#entries = entries;
    this.#count = entries.length;
    this.bytes = bytes;
  }

  static from(base: LogPosition, entries: readonly LogEntry[]): LogView {
    return new LogView(base, [], 0).append(entries);
  }

  get lastIndex(): LogIndex {
    return (this.base.index + this.#count) as LogIndex;
  }

  get lastTerm(): Term {
    return this.#entries[this.#count - 1]?.term ?? this.base.term;
  }

  get last(): LogPosition {
    return { index: this.lastIndex, term: this.lastTerm };
  }

  /** The term at an index, or undefined if it is trimmed or not there yet. */
  termAt(index: LogIndex): Term | undefined {
    if (index === this.base.index) return this.base.term;
    return this.entryAt(index)?.term;
  }

  entryAt(index: LogIndex): LogEntry | undefined {
    const at = index - this.base.index - 1;
    return at < this.#count ? this.#entries[at] : undefined;
  }

  /** Entries from `from` up to and with `to`. */
  between(from: LogIndex, to: LogIndex): readonly LogEntry[] {
    invariant(from > this.base.index, 'entries that were trimmed are not asked for');
    const start = from - this.base.index - 1;
    return this.#entries.slice(start, Math.min(to - this.base.index, this.#count));
  }

  /** Entries from `from` on, at least one if there is any, up to about so many bytes. */
  batchFrom(from: LogIndex, bytesMax: number): readonly LogEntry[] {
    let bytes = 0;
    let to = from - 1;
    for (let entry = this.entryAt(from); entry !== undefined; ) {
      bytes += entryBytes(entry);
      if (bytes > bytesMax && to >= from) break;
      to = entry.index;
      entry = this.entryAt(logIndex(to + 1));
    }
    return this.between(from, logIndex(to));
  }

  /** The last index at or below `index` whose term is `term` or lower; the base at the lowest. */
  lastWithTerm(index: LogIndex, term: Term): LogPosition {
    let at = Math.min(index, this.lastIndex);
    while (at > this.base.index && (this.termAt(at as LogIndex) ?? 0) > term) at--;
    if (at <= this.base.index) return this.base;
    return { index: at as LogIndex, term: this.termAt(at as LogIndex) ?? this.base.term };
  }

  append(added: readonly LogEntry[]): LogView {
    if (added.length === 0) return this;
    // Another view went on from here with other entries: this one needs its own.
    const isShared = this.#entries.length !== this.#count;
    const entries = isShared ? this.#entries.slice(0, this.#count) : this.#entries;
    let bytes = this.bytes;
    let term = this.lastTerm;
    for (const entry of added) {
      invariant(entry.index === this.base.index + entries.length + 1, 'a log has no hole');
      invariant(entry.term >= term, 'terms never fall along the log');
      term = entry.term;
      bytes += entryBytes(entry);
      entries.push(entry);
    }
    return new LogView(this.base, entries, bytes);
  }

  /** Without the entry at `from` and all after it. */
  cutFrom(from: LogIndex): LogView {
    invariant(from > this.base.index, 'what a snapshot covers is not cut');
    return this.#rebuilt(this.base, this.#entries.slice(0, from - this.base.index - 1));
  }

  /** Without the entries up to and with `upTo`, which a snapshot covers. */
  trimTo(upTo: LogIndex): LogView {
    const term = this.termAt(upTo);
    if (upTo <= this.base.index || term === undefined) return this;
    const kept = this.#entries.slice(upTo - this.base.index, this.#count);
    return this.#rebuilt({ index: upTo, term }, kept);
  }

  #rebuilt(base: LogPosition, entries: LogEntry[]): LogView {
    return new LogView(
      base,
      entries,
      entries.reduce((sum, entry) => sum + entryBytes(entry), 0),
    );
  }
}

/** True if a log that ends at `theirs` holds at least what one that ends at `own` holds (Raft §5.4.1). */
export function isUpToDate(theirs: LogPosition, own: LogPosition): boolean {
  if (theirs.term !== own.term) return theirs.term > own.term;
  return theirs.index >= own.index;
}
