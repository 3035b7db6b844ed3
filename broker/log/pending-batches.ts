/**
 * Accepted batches of one log that wait for the next write, in order. The first of them may be in the
 * journal already, and so be stored before they are written.
 */
import { type Offset, offset } from '../../proto/model/offset.ts';
import { Queue } from '../../proto/model/queue.ts';
import type { JournalEntry } from './journal-format.ts';
import type { LogBatch } from './log-batch.ts';
import type { LogKey } from './log-key.ts';
import type { WriteGroup } from './segment.ts';

/** Batches of one write: with more the bookkeeping of a write would hold up the next. */
const batchesPerWriteMax = 1024;

export class PendingBatches {
  readonly #batches = new Queue<LogBatch>();
  #bytes = 0;
  /** So many of them, from the oldest on, are in the journal. */
  #journalled = 0;
  #journalledBytes = 0;

  get isEmpty(): boolean {
    return this.#batches.length === 0;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes of the next batch; 0 if none waits. */
  get nextBytes(): number {
    return this.#batches.at(0)?.bytes.length ?? 0;
  }

  /** Bytes that are not in the journal. */
  get freshBytes(): number {
    return this.#bytes - this.#journalledBytes;
  }

  /** What the journal does not have yet, and where it will lie once it is written; there is something. */
  journalShare(
    key: LogKey,
    active: { readonly baseOffset: Offset; readonly bytes: number },
  ): { readonly entries: JournalEntry[]; readonly upTo: Offset } {
    const fresh = this.#batches.slice(this.#journalled);
    const entry = {
      key,
      segmentBase: active.baseOffset,
      position: active.bytes + this.#journalledBytes,
      buffers: fresh.map((batch) => batch.bytes),
      bytes: this.freshBytes,
    };
    return { entries: [entry], upTo: offset(fresh.at(-1)?.endOffset ?? 0) };
  }

  /** The journal has everything below an offset. */
  journalledTo(end: Offset): void {
    for (;;) {
      const batch = this.#batches.at(this.#journalled);
      if (batch === undefined || batch.endOffset > end) return;
      this.#journalled++;
      this.#journalledBytes += batch.bytes.length;
    }
  }

  push(batch: LogBatch): void {
    this.#batches.push(batch);
    this.#bytes += batch.bytes.length;
  }

  /** A group that could not be written comes first again; the journal has all that ends at or below `storedTo`. */
  putBack(group: WriteGroup, storedTo: Offset): void {
    const behind = this.#batches.slice();
    this.#batches.clear();
    for (const batch of [...group.batches, ...behind]) this.#batches.push(batch);
    this.#bytes += group.bytes;
    this.#journalled = 0;
    this.#journalledBytes = 0;
    this.journalledTo(storedTo);
  }

  clear(): void {
    this.#batches.clear();
    this.#bytes = 0;
    this.#journalled = 0;
    this.#journalledBytes = 0;
  }

  /**
   * As many of the waiting batches as fit one write of `bytesMax`; at least one. What the journal has
   * and what it has not never go together: only the latter is still to be stored.
   */
  take(bytesMax: number): WriteGroup {
    const count = this.#journalled > 0 ? this.#journalled : this.#batches.length;
    const most = Math.min(count, batchesPerWriteMax);
    const buffers: Buffer[] = [];
    const batches: LogBatch[] = [];
    let bytes = 0;
    while (buffers.length < most) {
      const batch = this.#batches.at(0);
      if (batch === undefined) break;
      if (buffers.length > 0 && bytes + batch.bytes.length > bytesMax) break;
      buffers.push(batch.bytes);
      batches.push(batch);
      bytes += batch.bytes.length;
      this.#batches.shift();
      if (this.#journalled === 0) continue;
      this.#journalled--;
      this.#journalledBytes -= batch.bytes.length;
    }
    this.#bytes -= bytes;
    return { buffers, batches, bytes };
  }
}
