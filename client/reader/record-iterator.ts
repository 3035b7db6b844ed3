/** Records one by one out of batches: one settled promise for each, and nothing else. */
import type { RecordCursor } from '../../proto/wire/record-cursor.ts';
import { nextRecord, type ReadBatch, type ReadRecord } from './read-record.ts';

export class RecordIterator implements AsyncIterator<ReadRecord> {
  readonly #batches: AsyncIterator<ReadBatch>;
  #batch: ReadBatch | undefined;
  #cursor: RecordCursor | undefined;

  constructor(batches: AsyncIterator<ReadBatch>) {
    this.#batches = batches;
  }

  next(): Promise<IteratorResult<ReadRecord>> {
    const record = this.#inBatch();
    if (record !== undefined) return Promise.resolve({ value: record, done: false });
    return this.#fromNextBatch();
  }

  async return(): Promise<IteratorResult<ReadRecord>> {
    this.#batch = undefined;
    this.#cursor = undefined;
    await this.#batches.return?.();
    return { value: undefined, done: true };
  }

  #inBatch(): ReadRecord | undefined {
    if (this.#batch === undefined || this.#cursor === undefined) return undefined;
    return nextRecord(this.#batch.place, this.#cursor);
  }

  async #fromNextBatch(): Promise<IteratorResult<ReadRecord>> {
    for (;;) {
      const step = await this.#batches.next();
      if (step.done === true) return { value: undefined, done: true };
      this.#batch = step.value;
      this.#cursor = step.value.cursor();
      const record = this.#inBatch();
      if (record !== undefined) return { value: record, done: false };
    }
  }
}
