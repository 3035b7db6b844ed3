import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EpochStart } from '../../../../broker/log/core/epoch-history.ts';
import {
  compareTail,
  type EpochView,
  lastEpoch,
  truncationPoint,
} from '../../../../broker/replication/core/divergence.ts';
import { leaderEpoch, offset } from '../../../../proto/model/offset.ts';

/**
 * Goal: whatever two logs hold, asking and cutting ends with the follower's log being a prefix of the
 * leader's, and nothing that both had in common is cut. Logs are lists of epochs, one per record; logs
 * of a cluster have the same records where they have the same epoch at the same offset.
 */
const log = (epochs: readonly number[]): EpochView => {
  const history: EpochStart[] = [];
  for (const [index, epoch] of epochs.entries()) {
    if (history.at(-1)?.epoch === epoch) continue;
    history.push({ epoch: leaderEpoch(epoch), startOffset: offset(index) });
  }
  return { history, end: offset(epochs.length) };
};

/** Asks and cuts until the logs agree; returns how many records are left and how often it asked. */
function reconcile(follower: readonly number[], leader: readonly number[]) {
  let left = [...follower];
  for (let rounds = 1; rounds < 20; rounds++) {
    const view = log(left);
    const answer = compareTail(log(leader), lastEpoch(view), view.end);
    if (answer.kind === 'agree') return { left, rounds };
    const to = truncationPoint(view, answer.at);
    expect(to).toBeLessThan(left.length);
    left = left.slice(0, to);
  }
  throw new Error('they never agree');
}

const rising = (a: number, b: number) => a - b;

/** Two logs that share a prefix and then have epochs of their own: each epoch has one leader. */
const twoLogs = fc
  .record({
    common: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 6 }),
    leader: fc.array(fc.integer({ min: 2, max: 5 }), { maxLength: 6 }),
    follower: fc.array(fc.integer({ min: 2, max: 5 }), { maxLength: 6 }),
  })
  .map(({ common, leader, follower }) => {
    const shared = common.sort(rising);
    const least = shared.at(-1) ?? 0;
    // Even epochs were written by one branch, odd ones by the other.
    const own = (epochs: number[]) => epochs.map((epoch) => least + 2 * epoch).sort(rising);
    const other = (epochs: number[]) => epochs.map((epoch) => least + 2 * epoch + 1).sort(rising);
    return {
      common: shared,
      leader: [...shared, ...own(leader)],
      follower: [...shared, ...other(follower)],
    };
  });

describe('divergence', () => {
  test('a follower without records agrees wherever its log begins, up to the end of the leader', () => {
    const leader = log([1, 1, 1]);
    for (const at of [0, 2, 3]) {
      expect(compareTail(leader, undefined, offset(at))).toEqual({ kind: 'agree' });
    }
    const beyond = { kind: 'diverged', at: { epoch: undefined, endOffset: 3 } };
    expect(compareTail(leader, undefined, offset(4))).toEqual(beyond);
  });

  test('no cut is made by the end of an epoch that the follower does not have: it may lie inside a batch', () => {
    // The leader has epoch 3 up to 16; the follower had epoch 1 up to 20 in batches of its own, and led epoch 4.
    const leader = log([
      ...Array.from({ length: 5 }, () => 1),
      ...Array.from({ length: 11 }, () => 3),
    ]);
    const follower = log([...Array.from({ length: 20 }, () => 1), 4, 4]);
    expect(truncationPoint(follower, { epoch: leaderEpoch(3), endOffset: leader.end })).toBe(20);
    expect(truncationPoint(follower, { epoch: leaderEpoch(1), endOffset: offset(5) })).toBe(5);
  });

  test('asking and cutting ends at exactly the common prefix', () => {
    fc.assert(
      fc.property(twoLogs, ({ common, leader, follower }) => {
        expect(reconcile(follower, leader).left).toEqual(common);
      }),
    );
  });

  test('a follower that is only behind cuts nothing', () => {
    expect(reconcile([1, 1, 2], [1, 1, 2, 2, 3])).toEqual({ left: [1, 1, 2], rounds: 1 });
  });

  test('fast leader changes take several rounds (KIP-279)', () => {
    const { left, rounds } = reconcile([1, 2, 2, 4, 4], [1, 3, 3, 5, 5]);
    expect(left).toEqual([1]);
    expect(rounds).toBeGreaterThan(1);
  });

  test('a longer tail of the same epoch is cut to the end of that epoch', () => {
    expect(reconcile([1, 1, 1], [1, 2]).left).toEqual([1]);
  });
});
