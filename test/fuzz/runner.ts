/** Feeds a target with damaged inputs until a bound is reached or a promise is broken. */
import { mutate } from './mutate.ts';
import { type FuzzRandom, seededRandom } from './random.ts';
import type { FuzzTarget } from './target.ts';

export interface FuzzBounds {
  readonly seed: number;
  /** Inputs to try. */
  readonly runs: number;
  /** Stops earlier when it answers true. */
  readonly isOver?: () => boolean;
  /** An input that takes longer is a failure: decoding is done in time that its length explains. */
  readonly inputMsMax?: number;
}

/** A broken promise, with the input that breaks it. */
export class FuzzFailure extends Error {
  override readonly name = 'FuzzFailure';
  readonly input: Buffer;

  constructor(target: FuzzTarget, place: { seed: number; run: number }, found: Found) {
    const replay = `npm run fuzz -- ${target.name} --seed ${place.seed} --runs ${place.run + 1}`;
    super(
      `${target.name}: ${String(found.cause)}\nreplay: ${replay}\ninput: ${found.input.toString('hex')}`,
      {
        cause: found.cause,
      },
    );
    this.input = found.input;
  }
}

interface Found {
  readonly input: Buffer;
  readonly cause: unknown;
}

/** Resolves to the number of inputs tried; rejects with a `FuzzFailure`. */
export async function runFuzz(target: FuzzTarget, bounds: FuzzBounds): Promise<number> {
  const random = seededRandom(bounds.seed);
  const pool = [...(await target.seeds())];
  for (let run = 0; run < bounds.runs; run++) {
    if (bounds.isOver?.() === true) return run;
    const input = nextInput(target, pool, random);
    try {
      const start = performance.now();
      target.check(input);
      const took = performance.now() - start;
      if (took > (bounds.inputMsMax ?? Number.POSITIVE_INFINITY)) {
        throw new Error(`it took ${took.toFixed(0)} ms`);
      }
    } catch (cause) {
      throw new FuzzFailure(target, { seed: bounds.seed, run }, { input, cause });
    }
  }
  return bounds.runs;
}

/** A damaged seed; mostly with its checksums put right again, sometimes as it is. */
function nextInput(target: FuzzTarget, pool: readonly Buffer[], random: FuzzRandom): Buffer {
  const seed = pool[random.below(pool.length)] ?? Buffer.alloc(0);
  const input = mutate(seed, random);
  return target.repair !== undefined && random.below(4) > 0 ? target.repair(input) : input;
}
