/** Randomness. A simulated cluster draws from a seed; cores get drawn values in their inputs. */
export interface Random {
  /** A whole number from 0 to `bound` - 1. `bound` is from 1 to 2^32. */
  below(bound: number): number;
  /** A lower-case version 4 UUID. */
  uuid(): string;
}
