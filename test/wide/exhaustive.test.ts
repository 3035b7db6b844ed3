import { expect, test } from 'vitest';
import { explore } from '../exhaustive/explore.ts';

/**
 * Three replicas, two records, three epochs, a member that is fenced and joins again, elections: in
 * every order, as far as the number of states allows (`STATES=1000000` goes further). It is cut: the
 * whole of it is out of reach. Links between replicas are quick here, or it would be cut much earlier.
 */
const statesMax = Number(process.env['STATES'] ?? '100000');

test('no order of events of three replicas with quick links breaks a promise', () => {
  const found = explore({
    options: { replicas: 3, minInsyncReplicas: 2, semiSyncReplicas: 2 },
    records: 2,
    epochs: 3,
    crashes: 0,
    fences: 1,
    startsSettled: true,
    isQuick: true,
    statesMax,
  });
  const { states, transitions, depth, isComplete } = found;
  console.log(`${states} states, ${transitions} transitions, cut at depth ${depth}`);
  expect(found.violation).toBeUndefined();
  expect(isComplete).toBe(false);
  expect(states).toBe(statesMax);
}, 300_000);
