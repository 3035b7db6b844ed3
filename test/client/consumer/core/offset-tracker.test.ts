import fc from 'fast-check';
import { expect, it } from 'vitest';
import { assignmentChange } from '../../../../client/consumer/core/assignment-change.ts';
import { OffsetTracker } from '../../../../client/consumer/core/offset-tracker.ts';
import { leaderEpoch, offset } from '../../../../proto/model/offset.ts';

it('what may be committed never passes a record that is not handled, in whatever order they are', () => {
  const order = fc
    .uniqueArray(fc.nat(60), { minLength: 1 })
    .chain((offsets) =>
      fc.tuple(fc.constant(offsets.toSorted((a, b) => a - b)), fc.shuffledSubarray(offsets)),
    );
  fc.assert(
    fc.property(order, ([offsets, handled]) => {
      const tracker = new OffsetTracker();
      for (const at of offsets) tracker.begin(offset(at), leaderEpoch(1), 0);
      const done = new Set<number>();
      for (const at of handled) {
        tracker.finish(offset(at));
        done.add(at);
        const open = offsets.filter((one) => !done.has(one));
        const upTo = tracker.handled?.offset ?? 0;
        expect(open.every((one) => one >= upTo)).toBe(true);
        const before = offsets.filter((one) => one < (open[0] ?? Number.POSITIVE_INFINITY));
        expect(upTo).toBe(before.length === 0 ? 0 : (before.at(-1) ?? 0) + 1);
        expect(tracker.inFlight).toBe(open.length);
      }
    }),
  );
});

it('a record that was abandoned is never passed', () => {
  const tracker = new OffsetTracker();
  for (const at of [0, 1, 2]) tracker.begin(offset(at), leaderEpoch(1), at);
  tracker.finish(offset(0));
  tracker.abandon(offset(1));
  tracker.finish(offset(2));
  tracker.finish(offset(1));
  expect(tracker.handled).toEqual({ offset: 1, leaderEpoch: 1 });
  expect(tracker.inFlight).toBe(0);
  expect(tracker.oldestBeganMs).toBeUndefined();
});

it('a partition that was given anew is let go and not kept', () => {
  const held = new Map([
    ['a', 1],
    ['b', 1],
    ['c', 1],
  ]);
  const assigned = new Map([
    ['a', 1],
    ['b', 4],
    ['d', 4],
  ]);
  expect(assignmentChange(held, assigned)).toEqual({ release: ['b', 'c'], take: ['d'] });
});
