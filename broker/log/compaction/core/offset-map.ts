/**
 * The newest offset of each key, for one pass of compaction. Keys are known by a hash of 128 bits
 * that nobody can make collide, so two keys are never taken for one.
 *
 * Invariants: (1) the memory is at most `bytesMax`, and while the table grows half as much again;
 * (2) at most three quarters of the slots are taken, so that a search ends; (3) the offset of a key
 * is the greatest one that was put.
 *
 * A slot is four words of hash and one offset; an offset of -1 marks a free slot.
 */

/** Bytes of a hash. */
export const keyHashBytes = 16;

/** Bytes of memory for one slot. */
const slotBytes = keyHashBytes + 8;
const slotsMin = 64;

export class OffsetMap {
  readonly #slotsMax: number;
  #hashes: Uint32Array;
  #offsets: Float64Array;
  #taken = 0;

  /** `bytesMax` is rounded down to a power of two of slots. */
  constructor(bytesMax: number) {
    const slots = Math.max(slotsMin, Math.floor(bytesMax / slotBytes));
    this.#slotsMax = 2 ** Math.floor(Math.log2(slots));
    const first = Math.min(this.#slotsMax, 1024);
    this.#hashes = new Uint32Array(first * 4);
    this.#offsets = new Float64Array(first).fill(-1);
  }

  /** How many keys are in it. */
  get size(): number {
    return this.#taken;
  }

  /** False if the key is not in the map and there is no room for it; then nothing has changed. */
  put(hash: Buffer, offset: number): boolean {
    let slot = this.#find(hash);
    const before = this.#offsets[slot] ?? -1;
    if (before >= 0) {
      if (offset > before) this.#offsets[slot] = offset;
      return true;
    }
    if ((this.#taken + 1) * 4 > this.#offsets.length * 3) {
      if (this.#offsets.length >= this.#slotsMax) return false;
      this.#grow();
      slot = this.#find(hash);
    }
    this.#taken++;
    this.#offsets[slot] = offset;
    for (let word = 0; word < 4; word++) {
      this.#hashes[slot * 4 + word] = hash.readUInt32LE(word * 4);
    }
    return true;
  }

  /** The newest offset of the key; undefined if none was put. */
  get(hash: Buffer): number | undefined {
    const offset = this.#offsets[this.#find(hash)] ?? -1;
    return offset < 0 ? undefined : offset;
  }

  /** The slot of the key, or the free one where it would go. */
  #find(hash: Buffer): number {
    const [a, b] = [hash.readUInt32LE(0), hash.readUInt32LE(4)];
    const [c, d] = [hash.readUInt32LE(8), hash.readUInt32LE(12)];
    const mask = this.#offsets.length - 1;
    const hashes = this.#hashes;
    for (let slot = a & mask; ; slot = (slot + 1) & mask) {
      if ((this.#offsets[slot] ?? -1) < 0) return slot;
      const at = slot * 4;
      const isSame =
        hashes[at] === a && hashes[at + 1] === b && hashes[at + 2] === c && hashes[at + 3] === d;
      if (isSame) return slot;
    }
  }

  #grow(): void {
    const { length } = this.#offsets;
    const [hashes, offsets] = [this.#hashes, this.#offsets];
    this.#hashes = new Uint32Array(length * 8);
    this.#offsets = new Float64Array(length * 2).fill(-1);
    const mask = length * 2 - 1;
    for (let from = 0; from < length; from++) {
      const offset = offsets[from] ?? -1;
      if (offset < 0) continue;
      let slot = (hashes[from * 4] ?? 0) & mask;
      while ((this.#offsets[slot] ?? -1) >= 0) slot = (slot + 1) & mask;
      this.#offsets[slot] = offset;
      this.#hashes.set(hashes.subarray(from * 4, from * 4 + 4), slot * 4);
    }
  }
}
