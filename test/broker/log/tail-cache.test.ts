import { describe, expect, test } from 'vitest';
import { LogTail, TailCache } from '../../../broker/log/tail-cache.ts';

const bytes = Buffer.alloc(10);

function push(tail: LogTail, baseOffset: number): void {
  tail.push({ bytes, baseOffset, endOffset: baseOffset + 1, maxTimestamp: 0 });
  tail.written(baseOffset + 1);
}

describe('the tail cache', () => {
  test('keeps no places for logs that came and went', () => {
    const cache = new TailCache(1_000_000);
    const lasting = new LogTail(cache);
    for (let round = 0; round < 10_000; round++) {
      if (round % 100 === 0) push(lasting, round / 100);
      const passing = new LogTail(cache);
      push(passing, 0);
      if (round % 2 === 0) passing.clear();
      else passing.cutTo(0);
    }
    expect(cache.places).toBeLessThan(3_000);
    expect(cache.bytes).toBe(lasting.count * bytes.length);
    expect(lasting.holds(0) && lasting.holds(99)).toBe(true);
  });

  test('lets the oldest go first, also after it has been tidied up', () => {
    const cache = new TailCache(1_000);
    const [first, second] = [new LogTail(cache), new LogTail(cache)];
    for (let round = 0; round < 2_000; round++) {
      const passing = new LogTail(cache);
      push(passing, 0);
      passing.clear();
    }
    for (let at = 0; at < 50; at++) push(first, at);
    for (let at = 0; at < 60; at++) push(second, at);
    expect(cache.bytes).toBe(1_000);
    expect([first.holds(9), first.holds(10), second.holds(0)]).toEqual([false, true, true]);
  });
});
