/**
 * Random values from a seed: xoshiro128** over 32-bit integers, seeded by splitmix32.
 *
 * `fork(label)` depends on the seed and the label alone and not on what was drawn, so that one more
 * draw in one subsystem does not reshuffle the others and an old seed keeps its meaning.
 */
import { invariant } from '../../model/invariant.ts';
import type { Random } from '../random.ts';

export class SeededRandom implements Random {
  /** What forks derive from; constant. */
  readonly #key: number;
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: number | string) {
    this.#key = typeof seed === 'number' ? mixNumber(seed) : mixText(seed);
    const next = splitmix32(this.#key);
    this.#a = next();
    this.#b = next();
    this.#c = next();
    this.#d = next() | 1; // Four zeros would be a fixed point of xoshiro.
  }

  below(bound: number): number {
    invariant(
      Number.isInteger(bound) && bound >= 1 && bound <= 2 ** 32,
      'a random bound is a whole number from 1 to 2^32',
    );
    // Values above the greatest multiple of the bound are drawn again: no value is favoured.
    const limit = 2 ** 32 - (2 ** 32 % bound);
    for (;;) {
      const drawn = this.#next();
      if (drawn < limit) return drawn % bound;
    }
  }

  uuid(): string {
    const words = [this.#next(), this.#next(), this.#next(), this.#next()];
    const hex = words.map((word) => word.toString(16).padStart(8, '0')).join('');
    const variant = ((Number.parseInt(hex.charAt(16), 16) & 3) | 8).toString(16);
    return [
      hex.slice(0, 8),
      hex.slice(8, 12),
      `4${hex.slice(13, 16)}`,
      `${variant}${hex.slice(17, 20)}`,
      hex.slice(20),
    ].join('-');
  }

  /** A stream of its own for a subsystem; the same label gives the same stream again. */
  fork(label: string): SeededRandom {
    return new SeededRandom(`${this.#key}/${label}`);
  }

  #next(): number {
    const result = Math.imul(rotate(Math.imul(this.#b, 5), 7), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = rotate(this.#d, 11);
    return result;
  }
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/** Both halves of a seed of up to 53 bits count. */
function mixNumber(seed: number): number {
  invariant(Number.isSafeInteger(seed), 'a seed is a whole number up to 2^53');
  return mixText(String(seed));
}

/** FNV-1a over the UTF-16 units, then an avalanche. */
function mixText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function splitmix32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return mixed ^ (mixed >>> 15);
  };
}
