/** The batches that have no outcome, and who waits for those of a moment to have one. */
import { Numbered } from '../../proto/model/numbered.ts';
import type { WaitedBatch } from './partition-producer.ts';

interface Flush {
  /** It waits for the batches below this number. */
  readonly below: number;
  readonly resolve: () => void;
}

export class UnresolvedBatches {
  readonly #batches = new Numbered<WaitedBatch>();
  readonly #flushes: Flush[] = [];

  add(batch: WaitedBatch): void {
    batch.number = this.#batches.add(batch);
  }

  delete(batch: WaitedBatch): void {
    this.#batches.take(batch.number);
    const { oldest } = this.#batches;
    while (this.#flushes[0] !== undefined && this.#flushes[0].below <= oldest)
      this.#flushes.shift()?.resolve();
  }

  /** Resolves when all batches of this moment have their outcome. */
  over(): Promise<void> {
    if (this.#batches.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#flushes.push({ below: this.#batches.next, resolve }));
  }
}
