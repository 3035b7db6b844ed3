/**
 * Writes many records without a promise for each: for pipes and loads. `write` asks to wait only when
 * there is no room; what fails is told by the next `write`, by `flush` and by `end`.
 */
import type { Acks } from '../../proto/model/acks.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import type { WaitingGroup } from './batch-waiters.ts';
import type { BatchReceipt } from './receipt.ts';
import type { ProducerRecord } from './record.ts';

/** What became of everything that was written. */
export interface BulkSummary {
  readonly written: number;
  /** Semi-sync records that were acknowledged as `leader`. */
  readonly degraded: number;
}

/** What a bulk writer needs of its producer. */
export interface BulkHost {
  /** Puts the record into a batch for the group; a promise if there is no room for another. */
  place(record: ProducerRecord, acks: Acks, group: WaitingGroup): Promise<void> | undefined;
  flush(): Promise<void>;
}

export class BulkWriter implements AsyncDisposable {
  readonly #host: BulkHost;
  readonly #acks: Acks;
  #written = 0;
  #degraded = 0;
  #failed = 0;
  #error: HighwaterError | undefined;
  readonly #group: WaitingGroup = {
    written: (batch: BatchReceipt, _from: number, count: number) => {
      this.#written += count;
      if (batch.answer?.degraded === true) this.#degraded += count;
    },
    failed: (error: HighwaterError, count: number) => {
      this.#failed += count;
      this.#error ??= error;
    },
  };

  constructor(host: BulkHost, acks: Acks) {
    this.#host = host;
    this.#acks = acks;
  }

  /** Records acknowledged so far. */
  get writtenCount(): number {
    return this.#written;
  }

  /** Takes one record. Await what it returns; it is undefined while there is room. */
  write(record: ProducerRecord): Promise<void> | undefined {
    if (this.#error !== undefined) throw this.#failure(this.#error);
    return this.#host.place(record, this.#acks, this.#group);
  }

  /** Resolves when everything written before is acknowledged; rejects if anything failed. */
  async flush(): Promise<BulkSummary> {
    await this.#host.flush();
    if (this.#error !== undefined) throw this.#failure(this.#error);
    return { written: this.#written, degraded: this.#degraded };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush();
  }

  #failure(error: HighwaterError): HighwaterError {
    return new HighwaterError(error.code, error.message, {
      cause: error,
      outcome: error.outcome,
      facts: { ...error.facts, written: this.#written, failed: this.#failed },
    });
  }
}
