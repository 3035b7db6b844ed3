/**
 * The most recent batches of all logs, as the very buffers that were appended: followers and
 * consumers at the tail never touch the disk. One budget for the directory; the oldest batch of all
 * goes first, except that a batch stays until it has been written, since it can be read nowhere else.
 */
import type { LogBatch } from './log-batch.ts';

/** Fewer places that stand for nothing are not worth a look at all of them. */
const emptyMin = 1024;

/** The budget. One per data directory. */
export class TailCache {
  readonly #bytesMax: number;
  #bytes = 0;
  /** For each entry, oldest first, the tail it is in. */
  #order: LogTail[] = [];
  #oldest = 0;
  /** How many of these places stand for nothing: their batches went with a cut or with their log. */
  #empty = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  added(tail: LogTail, bytes: number): void {
    this.#order.push(tail);
    this.#bytes += bytes;
    this.shrink();
  }

  /** Places that are kept in the order of the batches, those that stand for nothing among them. */
  get places(): number {
    return this.#order.length - this.#oldest;
  }

  removed(bytes: number): void {
    this.#bytes -= bytes;
  }

  /** Batches of a log are gone at once, out of the order. */
  emptied(count: number): void {
    this.#empty += count;
    if (this.#empty > emptyMin && this.#empty * 2 > this.places) this.#tidy();
  }

  /** Lets the oldest go while the budget is exceeded. Called again when something was written. */
  shrink(): void {
    while (this.#bytes > this.#bytesMax && this.#oldest < this.#order.length) {
      const outcome = this.#order[this.#oldest]?.dropOldest();
      if (outcome === 'pinned') return;
      if (outcome === 'none') this.#empty--;
      this.#oldest++;
      if (this.#oldest > 1024 && this.#oldest * 2 > this.#order.length) {
        this.#order = this.#order.slice(this.#oldest);
        this.#oldest = 0;
      }
    }
  }

  /** Keeps as many places of each tail as it has batches: the last ones, since batches go from the first. */
  #tidy(): void {
    const left = new Map<LogTail, number>();
    const kept: LogTail[] = [];
    for (let at = this.#order.length - 1; at >= this.#oldest; at--) {
      const tail = this.#order[at];
      if (tail === undefined) continue;
      const count = left.get(tail) ?? tail.count;
      left.set(tail, count - 1);
      if (count > 0) kept.push(tail);
    }
    this.#order = kept.reverse();
    this.#oldest = 0;
    this.#empty = 0;
  }
}

/** One log's share: a gapless run of batches that ends at the log end. */
export class LogTail {
  readonly #cache: TailCache;
  /** Entries before `first` are gone: their slots are empty until the array is made anew. */
  #entries: (LogBatch | undefined)[] = [];
  #first = 0;
  /** Below it batches are in the file. */
  #writtenTo = 0;

  constructor(cache: TailCache) {
    this.#cache = cache;
  }

  /** How many batches are here. */
  get count(): number {
    return this.#entries.length - this.#first;
  }

  push(batch: LogBatch): void {
    this.#entries.push(batch);
    this.#cache.added(this, batch.bytes.length);
  }

  written(to: number): void {
    this.#writtenTo = to;
    this.#cache.shrink();
  }

  /** True if the batch that holds the offset is here. */
  holds(offset: number): boolean {
    const first = this.#entries[this.#first];
    const last = this.#entries.at(-1);
    return first !== undefined && last !== undefined
      ? offset >= first.baseOffset && offset < last.endOffset
      : false;
  }

  /** Whole batches from the one that holds `from`, all ending at or below `upTo`; at least one if any. */
  take(from: number, maxBytes: number, upTo: number): LogBatch[] {
    const taken: LogBatch[] = [];
    let total = 0;
    for (let at = this.#indexOf(from); at < this.#entries.length; at++) {
      const entry = this.#entries[at];
      if (entry === undefined || entry.endOffset > upTo) break;
      total += entry.bytes.length;
      if (taken.length > 0 && total > maxBytes) break;
      taken.push(entry);
    }
    return taken;
  }

  /** Forgets everything at or above an offset. */
  cutTo(end: number): void {
    const before = this.count;
    let last = this.#entries.at(-1);
    while (last !== undefined && this.#entries.length > this.#first && last.endOffset > end) {
      this.#entries.pop();
      this.#cache.removed(last.bytes.length);
      last = this.#entries.at(-1);
    }
    if (this.#writtenTo > end) this.#writtenTo = end;
    this.#cache.emptied(before - this.count);
  }

  /** Forgets everything. */
  clear(): void {
    for (let at = this.#first; at < this.#entries.length; at++) {
      this.#cache.removed(this.#entries[at]?.bytes.length ?? 0);
    }
    const { count } = this;
    this.#entries = [];
    this.#first = 0;
    this.#cache.emptied(count);
  }

  dropOldest(): 'dropped' | 'pinned' | 'none' {
    const entry = this.#entries[this.#first];
    if (entry === undefined) return 'none';
    if (entry.endOffset > this.#writtenTo) return 'pinned';
    this.#cache.removed(entry.bytes.length);
    this.#entries[this.#first] = undefined;
    this.#first++;
    if (this.#first > 64 && this.#first * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#first);
      this.#first = 0;
    }
    return 'dropped';
  }

  #indexOf(from: number): number {
    let low = this.#first;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle]?.endOffset ?? 0) <= from) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
