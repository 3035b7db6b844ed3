/**
 * The most recent batches of all logs, as the very buffers that were appended: followers and
 * consumers at the tail never touch the disk. One budget for the directory; the oldest batch of all
 * goes first, except that a batch stays until it has been written, since it can be read nowhere else.
 */
import { Queue } from '../../proto/model/queue.ts';
import type { LogBatch } from './log-batch.ts';

/** Fewer places that stand for nothing are not worth a look at all of them. */
const emptyMin = 1024;

/** The budget. One per data directory. */
export class TailCache {
  readonly #bytesMax: number;
  #bytes = 0;
  /** For each entry, oldest first, the tail it is in. */
  readonly #order = new Queue<LogTail>();
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
    return this.#order.length;
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
    while (this.#bytes > this.#bytesMax) {
      const outcome = this.#order.at(0)?.dropOldest();
      if (outcome === undefined || outcome === 'pinned') return;
      if (outcome === 'none') this.#empty--;
      this.#order.shift();
    }
  }

  /** Keeps as many places of each tail as it has batches: the last ones, since batches go from the first. */
  #tidy(): void {
    const left = new Map<LogTail, number>();
    const kept: LogTail[] = [];
    for (let tail = this.#order.pop(); tail !== undefined; tail = this.#order.pop()) {
      const count = left.get(tail) ?? tail.count;
      left.set(tail, count - 1);
      if (count > 0) kept.push(tail);
    }
    for (const tail of kept.reverse()) this.#order.push(tail);
    this.#empty = 0;
  }
}

/** One log's share: a gapless run of batches that ends at the log end. */
export class LogTail {
  readonly #cache: TailCache;
  readonly #entries = new Queue<LogBatch>();
  /** Below it batches are in the file. */
  #writtenTo = 0;

  constructor(cache: TailCache) {
    this.#cache = cache;
  }

  /** How many batches are here. */
  get count(): number {
    return this.#entries.length;
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
    const first = this.#entries.at(0);
    const last = this.#entries.at(this.count - 1);
    return first !== undefined && last !== undefined
      ? offset >= first.baseOffset && offset < last.endOffset
      : false;
  }

  /** Whole batches from the one that holds `from`, all ending at or below `upTo`; at least one if any. */
  take(from: number, maxBytes: number, upTo: number): LogBatch[] {
    const taken: LogBatch[] = [];
    let total = 0;
    for (let at = this.#indexOf(from); at < this.#entries.length; at++) {
      const entry = this.#entries.at(at);
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
    let last = this.#entries.at(before - 1);
    while (last !== undefined && last.endOffset > end) {
      this.#entries.pop();
      this.#cache.removed(last.bytes.length);
      last = this.#entries.at(this.count - 1);
    }
    if (this.#writtenTo > end) this.#writtenTo = end;
    this.#cache.emptied(before - this.count);
  }

  /** Forgets everything. */
  clear(): void {
    const { count } = this;
    for (const { bytes } of this.#entries) this.#cache.removed(bytes.length);
    this.#entries.clear();
    this.#cache.emptied(count);
  }

  dropOldest(): 'dropped' | 'pinned' | 'none' {
    const entry = this.#entries.at(0);
    if (entry === undefined) return 'none';
    if (entry.endOffset > this.#writtenTo) return 'pinned';
    this.#cache.removed(entry.bytes.length);
    this.#entries.shift();
    return 'dropped';
  }

  #indexOf(from: number): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries.at(middle)?.endOffset ?? 0) <= from) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
