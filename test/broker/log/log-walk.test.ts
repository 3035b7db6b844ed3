/**
 * Goal: whatever the order of appends, flushes, reads, cuts, deletions, rolls and crashes, a log holds
 * what it said to be stored, and nothing that was not appended. Method: random walks against a list
 * of batches, over a disk that loses, tears and reorders what was not flushed. A failing seed is
 * printed; `SEED=n npx vitest run test/broker/log/log-walk.test.ts` replays it alone.
 */
import { describe, expect, test } from 'vitest';
import { LogWalk } from './log-walk.ts';

const only = process.env['SEED'];
const walks = Number(process.env['WALKS'] ?? 200);
const stepsPerWalk = 500;

describe('a walk over the logs of a directory', () => {
  test('agrees with the model at every step', { timeout: 120_000 }, async () => {
    const reached = new Map<string, number>();
    const seeds =
      only === undefined ? Array.from({ length: walks }, (_, at) => at + 1) : [Number(only)];
    for (const seed of seeds) {
      const walk = new LogWalk(seed);
      try {
        await walk.run(stepsPerWalk);
      } catch (caught) {
        throw new Error(`the walk of seed ${seed} failed`, { cause: caught });
      }
      for (const [what, count] of walk.reached) reached.set(what, (reached.get(what) ?? 0) + count);
    }
    if (process.env['SHOW'] !== undefined) console.log(reached);
    if (only !== undefined) return;
    for (const what of [
      'recovered torn',
      'recovered whole',
      'crash during truncation',
      'recreated',
    ]) {
      expect(reached.get(what) ?? 0).toBeGreaterThan(0);
    }
  });
});
