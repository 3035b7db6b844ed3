import { describe, expect, it } from 'vitest';
import { simulate } from './simulate.ts';

describe('a seed', () => {
  it('gives the same trace each time it is run', async () => {
    for (const seed of [3, 14, 159, 265]) {
      const first = await simulate(seed);
      const second = await simulate(seed);
      expect(second.stamp).toBe(first.stamp);
      expect(second.events).toBe(first.events);
      expect(second.tail).toEqual(first.tail);
    }
  }, 60_000);

  it('gives another trace than its neighbour', async () => {
    expect((await simulate(1)).stamp).not.toBe((await simulate(2)).stamp);
  });
});
