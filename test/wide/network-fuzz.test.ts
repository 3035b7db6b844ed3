/**
 * Goal: nothing that strangers send to its ports costs a node its readiness, its memory or a record.
 * Method: a real process under random attacks on its three ports; `npm run fuzz -- network` goes on longer.
 */
import { expect, test } from 'vitest';
import { besiege } from '../fuzz/network/siege.ts';

const kinds = 7;

test('a node under attack on all its ports stays ready, keeps its memory and every record', async () => {
  const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000);
  const report = await besiege({ seed, seconds: 12 });
  expect({ seed, faults: report.faults }).toEqual({ seed, faults: [] });
  expect(report.attacks.size).toBe(kinds);
  expect(report.acknowledged).toBeGreaterThan(100);
});
