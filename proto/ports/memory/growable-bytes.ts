/**
 * Bytes that grow: the content of an in-memory file. Invariant: everything in the buffer from
 * `length` on is zero, so a write beyond the end leaves a hole of zeros as a real file does.
 */
export class GrowableBytes {
  #buffer: Buffer = Buffer.alloc(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Copies what there is from `position` on into `target`; returns how many bytes. */
  read(target: Uint8Array, position: number): number {
    if (position >= this.#length) return 0;
    const end = Math.min(this.#length, position + target.length);
    target.set(this.#buffer.subarray(position, end));
    return end - position;
  }

  write(bytes: Uint8Array, position: number): void {
    const end = position + bytes.length;
    this.#reserve(end);
    this.#buffer.set(bytes, position);
    this.#length = Math.max(this.#length, end);
  }

  /** Cuts, or extends with zeros. */
  resize(length: number): void {
    this.#reserve(length);
    if (length < this.#length) this.#buffer.fill(0, length, this.#length);
    this.#length = length;
  }

  /** A copy that later writes do not change. */
  copy(): Buffer {
    return Buffer.from(this.#buffer.subarray(0, this.#length));
  }

  #reserve(length: number): void {
    if (length <= this.#buffer.length) return;
    const grown = Buffer.alloc(Math.max(length, this.#buffer.length * 2, 256));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }
}
