import { describe, expect, test } from 'vitest';
import { breakRule } from '../scenario/replication/break-rule.ts';
import { type Bounds, explore } from './explore.ts';

/**
 * Goal: on a small partition every order of events is tried. The configurations of two replicas are
 * complete; that of three is cut at a number of states (`STATES=1000000` goes further). The counts
 * are printed.
 */
const pair: Bounds = {
  options: { replicas: 2, minInsyncReplicas: 2, semiSyncReplicas: 2 },
  records: 1,
  epochs: 2,
  crashes: 0,
  fences: 0,
  statesMax: 200_000,
};
const loosePair: Bounds = {
  ...pair,
  options: { ...pair.options, minInsyncReplicas: 1 },
  fences: 1,
  startsSettled: true,
};
const trio: Bounds = {
  options: { replicas: 3, minInsyncReplicas: 2, semiSyncReplicas: 2 },
  records: 2,
  epochs: 3,
  crashes: 1,
  fences: 1,
  startsSettled: true,
  statesMax: Number(process.env['STATES'] ?? '15000'),
};

describe('the partition core, breadth first', () => {
  test.each([
    ['2 replicas from their creation, 1 record, 2 epochs', pair, 7_000],
    ['2 replicas of which 1 is enough, 1 record, 2 epochs, a fence', loosePair, 40_000],
    ['3 replicas, 2 records, 3 epochs, a crash, a fence', trio, trio.statesMax],
  ] as const)(
    '%s: no order of events breaks a promise',
    (name, bounds, least) => {
      const found = explore(bounds);
      const { states, transitions, depth, isComplete } = found;
      const extent = isComplete ? 'complete' : `cut at depth ${depth}`;
      console.log(`${name}: ${states} states, ${transitions} transitions, ${extent}`);
      expect(found.violation).toBeUndefined();
      expect(isComplete).toBe(bounds !== trio);
      // Fails where actions silently stop being possible.
      expect(states).toBeGreaterThanOrEqual(least);
    },
    60_000,
  );

  test('a watermark that does not wait for the maximal ISR is found in four actions', () => {
    const options = { ...loosePair.options, ...breakRule('waitsForMaximalIsr') };
    const { violation } = explore({ ...loosePair, options });
    expect(violation?.path).toEqual(['fence 2', 'metadata 1', 'produce 1', 'flush 1']);
  });

  test('a leader that leads on after its restart is found in two actions', () => {
    const options = { ...loosePair.options, ...breakRule('forfeitsEpoch') };
    const { violation } = explore({ ...loosePair, options, crashes: 1 });
    expect(violation?.path).toEqual(['crash 1', 'restart 1']);
  });
});
