/**
 * The sparse index of one segment: every so many bytes the offset, the byte position and the largest
 * timestamp seen so far. It only says where to begin reading; the batches themselves decide. So it
 * may be lost at any time and is rebuilt from the segment.
 *
 * Entries are three numbers in one flat array (offset, position, max timestamp before the position):
 * no object per entry.
 */

/** Bytes of log between two entries: 2,000 entries for a segment of the default size. */
export const indexIntervalBytes = 64 * 1024;

const width = 3;

/** Where to begin a scan. */
export interface IndexEntry {
  readonly offset: number;
  readonly position: number;
}

/** What is known of a batch when it is added to a segment. */
export interface IndexedBatch {
  readonly baseOffset: number;
  readonly position: number;
  readonly bytes: number;
  readonly maxTimestamp: number;
}

/** Mutable: owned by one segment. Lives in memory only, its snapshot goes to the index store. */
export class SparseIndex {
  readonly #entries: number[];
  #largestTimestamp: number;
  #indexedTo: number;

  constructor(snapshot?: IndexSnapshot) {
    this.#entries = snapshot === undefined ? [] : [...snapshot.entries];
    this.#largestTimestamp = snapshot?.largestTimestamp ?? -1;
    this.#indexedTo = snapshot?.indexedTo ?? 0;
  }

  /** Byte position up to which batches have been added. */
  get indexedTo(): number {
    return this.#indexedTo;
  }

  /** Largest batch timestamp of the segment, -1 if it is empty. */
  get largestTimestamp(): number {
    return this.#largestTimestamp;
  }

  /** Batches are added in order of their positions. */
  add(batch: IndexedBatch): void {
    const lastPosition = this.#entries.at(-2);
    if (lastPosition === undefined || batch.position - lastPosition >= indexIntervalBytes) {
      this.#entries.push(batch.baseOffset, batch.position, this.#largestTimestamp);
    }
    if (batch.maxTimestamp > this.#largestTimestamp) this.#largestTimestamp = batch.maxTimestamp;
    this.#indexedTo = batch.position + batch.bytes;
  }

  /** The last entry at or below an offset: the batch that holds it begins there or later. */
  floor(offset: number): IndexEntry | undefined {
    return this.#lastWhere((at) => (this.#entries[at] ?? 0) <= offset);
  }

  /** Where to begin looking for the first batch with a timestamp at or above the given one. */
  floorByTimestamp(timestamp: number): IndexEntry | undefined {
    return this.#lastWhere((at) => (this.#entries[at + 2] ?? -1) < timestamp);
  }

  /** Forgets what lies at or above a byte position. The largest timestamp may then be too large. */
  truncate(position: number): void {
    let keep = this.#entries.length;
    while (keep > 0 && (this.#entries[keep - 2] ?? 0) >= position) keep -= width;
    this.#entries.length = keep;
    if (this.#indexedTo > position) this.#indexedTo = position;
  }

  snapshot(): IndexSnapshot {
    return {
      entries: this.#entries,
      largestTimestamp: this.#largestTimestamp,
      indexedTo: this.#indexedTo,
    };
  }

  /** Binary search for the last entry that satisfies a test which is true up to some point. */
  #lastWhere(holds: (at: number) => boolean): IndexEntry | undefined {
    let low = 0;
    let high = this.#entries.length / width;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (holds(middle * width)) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return undefined;
    const at = (low - 1) * width;
    return { offset: this.#entries[at] ?? 0, position: this.#entries[at + 1] ?? 0 };
  }
}

/** Everything of an index, as plain data. */
export interface IndexSnapshot {
  readonly entries: readonly number[];
  readonly largestTimestamp: number;
  readonly indexedTo: number;
}
