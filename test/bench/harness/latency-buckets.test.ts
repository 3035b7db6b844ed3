import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bucketFromMs, LatencyBuckets } from '../../../bench/harness/latency-buckets.ts';

test('a latency lies in its bucket, which is less than a twentieth wide', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.001, max: 1e6, noNaN: true }), (ms) => {
      const counted = new LatencyBuckets();
      counted.record(ms);
      const [[bucket, count] = [0, 0]] = counted.all;
      expect(count).toBe(1);
      // A hair for the rounding of the logarithm.
      expect(bucketFromMs(bucket)).toBeLessThanOrEqual(ms * 1.000001);
      expect(bucketFromMs(bucket + 1)).toBeGreaterThanOrEqual(ms * 0.999999);
      expect(bucketFromMs(bucket + 1) / bucketFromMs(bucket)).toBeLessThan(1.05);
    }),
  );
});

test('counts of several rounds add up, in the order of latency', () => {
  const counted = new LatencyBuckets();
  for (const ms of [4, 0.5, 4]) counted.record(ms);
  counted.add(counted.all);
  expect(counted.all.map(([, count]) => count)).toEqual([2, 4]);
});
