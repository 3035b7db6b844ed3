import { describe, expect, it } from 'vitest';
import { simulateCluster } from './simulate-cluster.ts';

describe('a seed of a whole cluster', () => {
  it('gives the same trace each time it is run', async () => {
    for (const seed of [20, 21]) {
      const first = await simulateCluster(seed);
      const second = await simulateCluster(seed);
      expect(second.stamp).toBe(first.stamp);
      expect(second.events).toBe(first.events);
      expect(second.tail).toEqual(first.tail);
    }
  }, 60_000);
});
