import { expect, it } from 'vitest';
import { shrink } from './shrink.ts';

it('what is left of a failing run is what it takes to fail', async () => {
  const needed = [3, 17];
  const smaller = await shrink(20, ({ faults, leftOut }) => {
    const happens = (fault: number): boolean => faults?.includes(fault) ?? true;
    return Promise.resolve(needed.every(happens) && !leftOut.includes('operator'));
  });
  expect(smaller.faults).toEqual(needed);
  expect(smaller.leftOut).toContain('readers');
  expect(smaller.leftOut).not.toContain('operator');
});

it('a run that fails without any fault is left without faults', async () => {
  expect((await shrink(20, () => Promise.resolve(true))).faults).toEqual([]);
});
