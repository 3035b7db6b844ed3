import { expect, it } from 'vitest';
import { expectedSituations, runSeeds } from './seeds.ts';

it('a quorum under faults keeps every invariant and comes to rest, for seeds 1 to 250', async () => {
  const reached = await runSeeds(1, 250);
  const missing = expectedSituations.filter((situation) => !reached.has(situation));
  expect(missing, 'the seeds have to get everywhere').toEqual([]);
}, 120_000);
