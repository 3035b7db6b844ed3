/**
 * Memory of full batches, used again. A batch that is allocated anew costs more than the bytes that are
 * copied into it: its pages are mapped one by one, and its garbage makes the engine mark the whole heap.
 *
 * Invariant: memory comes back only from a batch whose first and only attempt was acknowledged. Then all
 * of it has left this process, and nothing here will read it again.
 */

/** What is kept for the next batches, beyond those under way. */
const keptBytesMax = 8 * 1024 * 1024;
/** A batch takes records until it has reached its target, so that it ends behind it. */
const beyondTargetBytes = 64 * 1024;
/** Slabs are so many parts of the largest: what leaves before it is full fits one of the smaller. */
const divisors = [8, 4, 2, 1] as const;

interface Slabs {
  readonly bytes: number;
  readonly free: Buffer[];
}

export class BatchMemory {
  /** From small to large. */
  readonly #sizes: readonly Slabs[];
  #freeBytes = 0;

  constructor(batchBytesTarget: number) {
    const largest = batchBytesTarget + beyondTargetBytes;
    this.#sizes = divisors.map((divisor) => ({ bytes: Math.floor(largest / divisor), free: [] }));
  }

  /** Memory for a batch that is expected to fill most of it; undefined for a small one. */
  lend(bytesExpected: number): Buffer | undefined {
    const slabs = this.#sizes.find(({ bytes }) => bytes >= bytesExpected) ?? this.#sizes.at(-1);
    if (slabs === undefined || bytesExpected < slabs.bytes / 2) return undefined;
    const known = slabs.free.pop();
    if (known !== undefined) this.#freeBytes -= known.length;
    return known ?? Buffer.allocUnsafeSlow(slabs.bytes);
  }

  takeBack(memory: Buffer): void {
    const slabs = this.#sizes.find(({ bytes }) => bytes === memory.length);
    if (slabs === undefined || this.#freeBytes + memory.length > keptBytesMax) return;
    slabs.free.push(memory);
    this.#freeBytes += memory.length;
  }
}
