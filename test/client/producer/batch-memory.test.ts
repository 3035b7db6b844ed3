import { describe, expect, it } from 'vitest';
import { BatchMemory } from '../../../client/producer/batch-memory.ts';

const target = 512 * 1024;

describe('the memory of batches', () => {
  it('is used again once it came back', () => {
    const memory = new BatchMemory(target);
    const first = memory.lend(target);
    const second = memory.lend(target);
    expect(first === second).toBe(false);
    memory.takeBack(first ?? Buffer.alloc(0));
    expect(memory.lend(target) === first).toBe(true);
  });

  it('is not lent to batches that would fill little of it', () => {
    expect(new BatchMemory(target).lend(4096)).toBeUndefined();
  });

  it('holds a full batch', () => {
    expect(new BatchMemory(target).lend(target)?.length).toBeGreaterThan(target);
  });

  it('fits batches of every size from some tens of KB on, and is less than three times as large', () => {
    const memory = new BatchMemory(target);
    for (let bytes = 40 * 1024; bytes <= target; bytes += 1_000) {
      const lent = memory.lend(bytes)?.length ?? 0;
      expect(lent).toBeGreaterThanOrEqual(bytes);
      expect(lent).toBeLessThan(bytes * 3);
    }
  });

  it('of one size is not lent for another', () => {
    const memory = new BatchMemory(target);
    const small = memory.lend(64 * 1024) ?? Buffer.alloc(0);
    memory.takeBack(small);
    expect(memory.lend(target) === small).toBe(false);
    expect(memory.lend(64 * 1024) === small).toBe(true);
  });

  it('does not pile up', () => {
    const memory = new BatchMemory(target);
    const lent = Array.from({ length: 100 }, () => memory.lend(target) ?? Buffer.alloc(0));
    for (const one of lent) memory.takeBack(one);
    const again = Array.from({ length: 100 }, () => memory.lend(target));
    const known = again.filter((one) => lent.some((before) => before === one));
    expect(known.length).toBeGreaterThan(0);
    expect(known.length).toBeLessThan(20);
  });
});
