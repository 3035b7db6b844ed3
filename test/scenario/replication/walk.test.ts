import { describe, expect, test } from 'vitest';
import { type WalkOptions, walk } from './walk.ts';

/**
 * Goal: no walk breaks a promise, and with any one rule broken some walk does. Seeds found to kill a
 * mutant are recorded, so that the quick form replays one walk for each. `WALKS=100000` walks longer.
 */
const three = { replicas: 3, semiSyncReplicas: 2, minInsyncReplicas: 2, steps: 400 };
const disks = { ...three, replacesDisks: true };
const decided = { ...three, steps: 600, isProduction: true, recordsMax: 30 };
const walks = Number(process.env['WALKS'] ?? '600');

const configurations: readonly (readonly [name: string, options: WalkOptions, walks: number])[] = [
  ['3 replicas, k 2, minimum 2', three, walks],
  ['3 replicas, disks replaced often', disks, walks],
  ['4 replicas, k 2, minimum 3', { ...three, replicas: 4, minInsyncReplicas: 3 }, walks / 4],
  ['5 replicas, k 3, minimum 2', { ...three, replicas: 5, semiSyncReplicas: 3 }, walks / 4],
  ['3 replicas, the controller decides', decided, walks / 6],
  ['disks replaced, the controller decides', { ...decided, replacesDisks: true }, walks / 6],
];

describe('as designed', () => {
  test.each(configurations)('%s: no walk breaks a promise', (name, options, count) => {
    let acks = 0;
    let elections = 0;
    for (let seed = 1; seed <= count; seed++) {
      try {
        const { ghost } = walk(seed, options);
        acks += ghost.acks.length;
        elections += ghost.leaders.size - 1;
      } catch (error) {
        throw new Error(`seed ${seed} of "${name}" breaks a promise`, { cause: error });
      }
    }
    // Not vacuous: records were acknowledged, and leaders elected after the first.
    expect(acks).toBeGreaterThan(count);
    expect(elections).toBeGreaterThan(count / 2);
  });

  test('seed 30379: a proposal asked again names the incarnations of its first attempt', () => {
    walk(30_379, disks);
  });

  test('the same seed walks the same way', () => {
    const [first, second]: [string[], string[]] = [[], []];
    walk(42, three, first);
    walk(42, three, second);
    expect(second).toEqual(first);
  });
});

/** The name of each break in the model of the design, and the seed that finds it here. */
const mutants = [
  ['promiseStops', 'noPromise', 279, three],
  ['promiseFencesReports', 'noReportFence', 1940, three],
  ['needsIsrAnswer', 'noIsrAnswer', 114, three],
  ['needsSemiSyncMembers', 'noSemiMissing', 2, three],
  ['comparesEpochFirst', 'byEnd', 759, three],
  ['greatestWins', 'anyIsr', 42, three],
  ['answersVerifiedEpoch', 'byRecordEpoch', 50_056, three],
  ['verifiedAtEpochStart', 'verAtOpen', 556, three],
  ['countsFromEpochStart', 'countBelowStart', 600, three],
  ['settlesWhenStored', 'settleEarly', 2024, three],
  ['needsSemiSyncSet', 'noSemiSet', 2, three],
  ['countsCommittedIsr', 'countProposed', 37, three],
  ['namesIncarnation', 'staleIncarnation', 1171, disks],
  ['holdsWhileClosing', 'ackWhileClosing', 1704, three],
  ['joinsWithAcknowledged', 'beyond the model', 1010, disks],
  ['waitsForMaximalIsr', 'rule B1.1', 21, three],
  ['needsMinInsync', 'rule B1.2', 4, three],
  ['forfeitsEpoch', 'a restarted leader leads on', 1, three],
  ['duplicatesWait', 'rule B6.2', 2, three],
  ['countsAgreedStream', 'rule B1.3', 802, disks],
  ['comparesHistory', 'rule B2.3', 30, three],
  ['joinsAtWatermark', 'rule B3.4', 78, three],
] as const;

describe('mutants', () => {
  test.each(mutants)('without %s (%s) seed %i breaks a promise', (broken, _, seed, options) => {
    expect(() => walk(seed, { ...options, broken })).toThrow(
      expect.objectContaining({ name: 'Violation' }),
    );
    // The seed is no violation by itself.
    walk(seed, options);
  });
});
