/** The batches that have no outcome, and who waits for those of a moment to have one. */
import type { WaitedBatch } from './partition-producer.ts';

interface Flush {
  readonly left: Set<WaitedBatch>;
  readonly resolve: () => void;
}

export class UnresolvedBatches {
  readonly #batches = new Set<WaitedBatch>();
  #flushes: Flush[] = [];

  add(batch: WaitedBatch): void {
    this.#batches.add(batch);
  }

  delete(batch: WaitedBatch): void {
    this.#batches.delete(batch);
    if (this.#flushes.length === 0) return;
    for (const { left, resolve } of this.#flushes) {
      if (left.delete(batch) && left.size === 0) resolve();
    }
    this.#flushes = this.#flushes.filter(({ left }) => left.size > 0);
  }

  /** Resolves when all batches of this moment have their outcome. */
  over(): Promise<void> {
    if (this.#batches.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#flushes.push({ left: new Set(this.#batches), resolve });
    });
  }
}
