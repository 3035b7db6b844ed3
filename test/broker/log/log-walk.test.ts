/**
 * Goal: whatever the order of appends, flushes, reads, cuts, deletions, rolls and crashes, a log holds
 * what it said to be stored, and nothing that was not appended. Method: random walks against a list
 * of batches, over a disk that loses, tears and reorders what was not flushed, and that is full, fails,
 * is silent or has gone bad now and then. A failing seed is printed;
 * `SEED=n npx vitest run test/broker/log/log-walk.test.ts` replays it alone. The wide tests walk on to
 * 100,000 steps.
 */
import { test } from 'vitest';
import { expectReached, walkSeeds } from './walk-seeds.ts';

const only = process.env['SEED'];

test('a walk over the logs of a directory agrees with the model at every step', {
  timeout: 120_000,
}, async () => {
  if (only === undefined) expectReached(await walkSeeds(1, 32));
  else await walkSeeds(Number(only), Number(only));
});
