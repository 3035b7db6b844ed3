/**
 * Makes a failing run smaller for as long as the same invariant fails: first whole parts of the cluster
 * are left out, then faults, by halves, quarters and so on (delta debugging).
 */
import { type Reduction, reducibleParts } from './cluster/reduction.ts';

/** Runs again at most: a minute or so. */
const runsMax = 60;

/** `fails` runs what is left and tells whether the same invariant fails. */
export async function shrink(
  faultCount: number,
  fails: (reduction: Reduction) => Promise<boolean>,
): Promise<Reduction> {
  const attempts = new Attempts(fails);
  for (const part of reducibleParts) {
    const { best } = attempts;
    await attempts.keepIfFails({ ...best, leftOut: [...best.leftOut, part] });
  }
  if (await attempts.keepIfFails({ ...attempts.best, faults: [] })) return attempts.best;
  let faults = Array.from({ length: faultCount }, (_, index) => index + 1);
  for (let size = Math.ceil(faults.length / 2); size >= 1; size = size === 1 ? 0 : (size + 1) >> 1)
    faults = await leaveOutRuns(attempts, faults, size);
  return attempts.best;
}

class Attempts {
  readonly #fails: (reduction: Reduction) => Promise<boolean>;
  #runs = 0;
  /** The smallest run that fails. */
  best: Reduction = { faults: undefined, leftOut: [] };

  constructor(fails: (reduction: Reduction) => Promise<boolean>) {
    this.#fails = fails;
  }

  async keepIfFails(reduction: Reduction): Promise<boolean> {
    if (this.#runs >= runsMax) return false;
    this.#runs++;
    if (!(await this.#fails(reduction))) return false;
    this.best = reduction;
    return true;
  }
}

/** Leaves out `size` faults in a row wherever it still fails without them. */
async function leaveOutRuns(attempts: Attempts, faults: number[], size: number): Promise<number[]> {
  let left = faults;
  for (let at = 0; at < left.length; ) {
    const fewer = [...left.slice(0, at), ...left.slice(at + size)];
    if (await attempts.keepIfFails({ ...attempts.best, faults: fewer })) left = fewer;
    else at += size;
  }
  return left;
}
