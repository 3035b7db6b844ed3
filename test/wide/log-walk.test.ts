import { test } from 'vitest';
import { expectReached, walkSeeds } from '../broker/log/walk-seeds.ts';

test('walks of 84,000 further steps agree with the model of the log', {
  timeout: 600_000,
}, async () => {
  expectReached(await walkSeeds(33, 200));
});
