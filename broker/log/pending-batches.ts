/** Accepted batches of one log that wait for the next write, in order. */
import type { BatchHeader } from '../../proto/wire/batch-header.ts';
import type { WriteGroup } from './segment.ts';

interface PendingBatch {
  readonly bytes: Buffer;
  readonly header: BatchHeader;
}

/** Batches of one write: with more the bookkeeping of a write would hold up the next. */
const batchesPerWriteMax = 1024;

export class PendingBatches {
  #batches: PendingBatch[] = [];
  #first = 0;
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#first === this.#batches.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes of the next batch; 0 if none waits. */
  get nextBytes(): number {
    return this.#batches[this.#first]?.bytes.length ?? 0;
  }

  push(bytes: Buffer, header: BatchHeader): void {
    this.#batches.push({ bytes, header });
    this.#bytes += bytes.length;
  }

  clear(): void {
    this.#batches = [];
    this.#first = 0;
    this.#bytes = 0;
  }

  /** As many of the waiting batches as fit one write of `bytesMax`; at least one. */
  take(bytesMax: number): WriteGroup {
    const buffers: Buffer[] = [];
    const headers: BatchHeader[] = [];
    let bytes = 0;
    while (buffers.length < batchesPerWriteMax) {
      const batch = this.#batches[this.#first];
      if (batch === undefined) break;
      if (buffers.length > 0 && bytes + batch.bytes.length > bytesMax) break;
      buffers.push(batch.bytes);
      headers.push(batch.header);
      bytes += batch.bytes.length;
      this.#first++;
    }
    this.#bytes -= bytes;
    this.#compact();
    return { buffers, headers, bytes };
  }

  #compact(): void {
    if (this.isEmpty) {
      this.#batches = [];
      this.#first = 0;
    } else if (this.#first > 1024) {
      this.#batches = this.#batches.slice(this.#first);
      this.#first = 0;
    }
  }
}
