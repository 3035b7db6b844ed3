import { expect, it } from 'vitest';
import { expectedSituations, runSeeds } from '../sim/seeds.ts';

it('a quorum under faults keeps every invariant and comes to rest, for seeds 251 to 500', async () => {
  const reached = await runSeeds(251, 500);
  const missing = expectedSituations.filter((situation) => !reached.has(situation));
  expect(missing, 'the seeds have to get everywhere').toEqual([]);
}, 600_000);
