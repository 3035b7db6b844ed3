import { expect, test } from 'vitest';
import { historyMs } from '../../../../client/dashboard/core/partition-history.ts';
import { windowMs, windowWords } from '../../../../client/dashboard/core/time-window.ts';

test('a picture shows all that was seen, and at most four times as much until the history is full', () => {
  for (let seenMs = 5_000; seenMs <= historyMs; seenMs += 1_000) {
    expect(windowMs(seenMs)).toBeGreaterThanOrEqual(seenMs);
    expect(windowMs(seenMs)).toBeLessThanOrEqual(4 * seenMs);
  }
  expect(windowMs(10 * historyMs)).toBe(historyMs);
});

test('the axis says how long ago its beginning and its middle are', () => {
  expect(windowWords(15_000)).toEqual(['15 s ago', '7.5 s', 'now']);
  expect(windowWords(120_000)).toEqual(['2 min ago', '1 min', 'now']);
});
