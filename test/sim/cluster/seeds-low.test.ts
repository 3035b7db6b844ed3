import { expect, it } from 'vitest';
import { runSeeds } from '../seeds.ts';
import { simulateCluster } from './simulate-cluster.ts';

it('a cluster under faults keeps every promise and comes to rest, for seeds 1 to 25', async () => {
  const reached = await runSeeds(1, 25, {
    name: 'cluster',
    simulate: (seed) => simulateCluster(seed),
  });
  for (const level of ['all', 'semi-sync', 'leader'])
    expect(reached.get(`ack ${level}`)).toBeGreaterThan(100);
}, 300_000);
