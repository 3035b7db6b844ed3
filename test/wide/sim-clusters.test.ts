import { expect, it } from 'vitest';
import { clusterGoals } from '../sim/cluster/goals.ts';
import { simulateCluster } from '../sim/cluster/simulate-cluster.ts';
import { runSeeds } from '../sim/seeds.ts';

it('300 clusters under faults keep every promise, come to rest and get everywhere', async () => {
  const reached = await runSeeds(1, 300, {
    name: 'cluster',
    simulate: (seed) => simulateCluster(seed),
  });
  const missing = clusterGoals.filter((goal) => !reached.has(goal));
  expect(missing, 'the seeds have to get everywhere').toEqual([]);
}, 1_200_000);

it('partitions wait, loudly, where more disks are lost than the promises cover', async () => {
  const reached = await runSeeds(1, 8, {
    name: 'cluster --over-budget',
    simulate: (seed) => simulateCluster(seed, { isOverBudget: true }),
  });
  expect(reached.get('halted: only suspects are left')).toBeGreaterThan(0);
}, 300_000);
