/** Randomness of the operating system. */
import { randomBytes, randomUUID } from 'node:crypto';
import { invariant } from '../../model/invariant.ts';
import type { Random } from '../random.ts';

/** Values drawn from the system at a time. */
const poolWords = 256;

class NodeRandom implements Random {
  #pool: Buffer = Buffer.alloc(0);
  #position = 0;

  below(bound: number): number {
    invariant(
      Number.isInteger(bound) && bound >= 1 && bound <= 2 ** 32,
      'a random bound is a whole number from 1 to 2^32',
    );
    // Values above the greatest multiple of the bound are drawn again: no value is favoured.
    const limit = 2 ** 32 - (2 ** 32 % bound);
    for (;;) {
      const drawn = this.#word();
      if (drawn < limit) return drawn % bound;
    }
  }

  uuid(): string {
    return randomUUID();
  }

  #word(): number {
    if (this.#position === this.#pool.length) {
      this.#pool = randomBytes(poolWords * 4);
      this.#position = 0;
    }
    const word = this.#pool.readUInt32LE(this.#position);
    this.#position += 4;
    return word;
  }
}

export const nodeRandom: Random = new NodeRandom();
