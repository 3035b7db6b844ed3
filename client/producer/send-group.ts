/** Many records with one outcome: how many were written, where, and what went wrong first. */
import { HighwaterError } from '../../proto/model/errors.ts';
import type { WaitingGroup } from './batch-waiters.ts';
import type { BatchReceipt } from './receipt.ts';

/** Records of one call that went into one batch of one partition, one behind the other. */
export interface WrittenRange {
  readonly topic: string;
  readonly partition: number;
  /** Of the first record; -1n at level `none`. */
  readonly baseOffset: bigint;
  readonly count: number;
  readonly leaderEpoch: number;
  readonly storedBy: readonly number[];
  readonly isrSize: number;
  readonly isDegraded: boolean;
  readonly isDuplicate: boolean;
}

/** What became of a `sendBatch`. */
export interface SentBatch {
  readonly count: number;
  readonly ranges: readonly WrittenRange[];
}

export class SendGroup implements WaitingGroup {
  readonly promise: Promise<SentBatch>;
  readonly #count: number;
  readonly #ranges: WrittenRange[] = [];
  #settle: { resolve: (sent: SentBatch) => void; reject: (error: HighwaterError) => void };
  #written = 0;
  #failed = 0;
  #error: HighwaterError | undefined;
  #mayBeWritten = false;

  constructor(count: number) {
    this.#count = count;
    this.#settle = { resolve: () => {}, reject: () => {} };
    this.promise = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.#decide();
  }

  written(batch: BatchReceipt, from: number, count: number): void {
    this.#written += count;
    this.#ranges.push(rangeOf(batch, from, count));
    this.#decide();
  }

  failed(error: HighwaterError, count: number): void {
    this.#failed += count;
    this.#error ??= error;
    if (error.mayHaveBeenApplied) this.#mayBeWritten = true;
    this.#decide();
  }

  #decide(): void {
    if (this.#written + this.#failed < this.#count) return;
    const error = this.#error;
    if (error === undefined) {
      this.#settle.resolve({ count: this.#count, ranges: this.#ranges });
      return;
    }
    const isClean = this.#written === 0 && !this.#mayBeWritten;
    this.#settle.reject(
      new HighwaterError(error.code, `${this.#failed} of ${this.#count}: ${error.message}`, {
        cause: error,
        outcome: isClean ? 'not-written' : 'maybe-written',
        facts: { ...error.facts, written: this.#written, failed: this.#failed },
      }),
    );
  }
}

function rangeOf(batch: BatchReceipt, from: number, count: number): WrittenRange {
  const { topic, partition, answer } = batch;
  return {
    topic,
    partition,
    count,
    baseOffset: answer === undefined ? -1n : BigInt(answer.baseOffset + from),
    leaderEpoch: answer?.leaderEpoch ?? -1,
    storedBy: answer?.storedBy ?? [],
    isrSize: answer?.isrSize ?? 0,
    isDegraded: answer?.degraded ?? false,
    isDuplicate: answer?.duplicate ?? false,
  };
}
