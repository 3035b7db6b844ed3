import { expect } from 'vitest';
import { LogWalk } from './log-walk.ts';

const stepsPerWalk = 500;

/** Walks the seeds from one to another, both included; a failing seed is named in the error. */
export async function walkSeeds(from: number, to: number): Promise<ReadonlyMap<string, number>> {
  const reached = new Map<string, number>();
  for (let seed = from; seed <= to; seed++) {
    const walk = new LogWalk(seed);
    try {
      await walk.run(stepsPerWalk);
    } catch (caught) {
      throw new Error(`the walk of seed ${seed} failed`, { cause: caught });
    }
    for (const [what, count] of walk.reached) reached.set(what, (reached.get(what) ?? 0) + count);
  }
  return reached;
}

/** Not vacuous: the walks met what they are there for. */
export function expectReached(reached: ReadonlyMap<string, number>): void {
  for (const what of [
    'recovered torn',
    'recovered whole',
    'crash during truncation',
    'recreated',
    'compaction done',
    'compaction in passes',
    'crash during compaction',
    'short write',
    'flush failed',
    'disk silent',
    'disk full',
    'reserve kept',
    'bad batch found',
    'misplaced batch found',
    'damage told',
    'retained',
    'begun anew',
    'crash in a stop',
    'made anew in a round',
  ]) {
    expect(reached.get(what) ?? 0, what).toBeGreaterThan(0);
  }
}
