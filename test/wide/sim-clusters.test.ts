import { expect, it } from 'vitest';
import { clusterGoals } from '../sim/cluster/goals.ts';
import { nothingLeftOut } from '../sim/cluster/reduction.ts';
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

/** The defects have tests of their own too: a change of timing gives a seed another story. */
it.each([
  [2301, 'the answer to the proposal of another partition'],
  [2897, 'the same, and sends that waited for ever'],
  [741, 'a replica that was moved away and back, whose stream its leader took for an old one'],
  [2345, 'a compacted log that was copied twice'],
  [2485, 'a writer that had not found the cluster yet'],
  [3244, 'a partition that waits, and had not been told of yet'],
  [593, 'a member of a group whose coordinator stood still and kept it, and which waited for ever'],
  [1113, 'a reader whose question was on a connection that had met a machine without power'],
  [3473, 'a second disk that was lost before anybody had noticed the first'],
])(
  'seed %i, which found %s',
  async (seed) => {
    const { violation } = await simulateCluster(seed);
    expect(violation).toBeUndefined();
  },
  120_000,
);

it('seed 348 without its fifth fault, which found a partition that waits after a last power loss', async () => {
  const reduction = { ...nothingLeftOut, faults: [1, 2, 3, 4, 6] };
  const { violation } = await simulateCluster(348, { reduction });
  expect(violation).toBeUndefined();
}, 120_000);
