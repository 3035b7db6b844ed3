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

export class BatchMemory {
  readonly #slabBytes: number;
  readonly #free: Buffer[] = [];

  constructor(batchBytesTarget: number) {
    this.#slabBytes = batchBytesTarget + beyondTargetBytes;
  }

  /** Memory for a batch that is expected to fill most of it; undefined for a small one. */
  lend(bytesExpected: number): Buffer | undefined {
    if (bytesExpected < this.#slabBytes / 2) return undefined;
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#slabBytes);
  }

  takeBack(memory: Buffer): void {
    if (this.#free.length * this.#slabBytes < keptBytesMax) this.#free.push(memory);
  }
}
