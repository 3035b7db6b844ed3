/** A small seeded generator (splitmix32): the same seed gives the same inputs on every machine. */
export interface FuzzRandom {
  /** A whole number from 0 to `bound` - 1. */
  below(bound: number): number;
}

export function seededRandom(seed: number): FuzzRandom {
  let state = seed | 0;
  return {
    below(bound) {
      state = (state + 0x9e3779b9) | 0;
      let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
      return ((mixed ^ (mixed >>> 15)) >>> 0) % bound;
    },
  };
}
