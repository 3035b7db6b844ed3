/** Random payload that no layer can make smaller, made once and used in turns. */
import { randomFillSync } from 'node:crypto';

/** Enough different values that no compressor sees the same one twice within a batch. */
const slabBytes = 8 * 1024 * 1024;
const valuesMax = 10_000;

export class LoadValues {
  readonly #values: readonly Buffer[];

  constructor(valueBytes: number) {
    const count = Math.max(1, Math.min(valuesMax, Math.floor(slabBytes / valueBytes)));
    const slab = randomFillSync(Buffer.allocUnsafeSlow(count * valueBytes));
    this.#values = Array.from({ length: count }, (_, index) =>
      slab.subarray(index * valueBytes, (index + 1) * valueBytes),
    );
  }

  at(index: number): Buffer {
    return this.#values[index % this.#values.length] ?? Buffer.alloc(0);
  }
}
