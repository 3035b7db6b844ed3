import { expect, it } from 'vitest';
import { GroupProgress } from './group-progress.ts';

it('a record handed out before one below it was handled is found', () => {
  const progress = new GroupProgress('g');
  expect(progress.take('a', 't/0', 0)).toBeUndefined();
  expect(progress.take('b', 't/0', 0)).toBeUndefined();
  expect(progress.take('a', 't/0', 2)).toContain('was not handled');
  expect(progress.handled('t/0')).toBe(1);
});

it('a member that begins below what was committed is found', () => {
  const progress = new GroupProgress('g');
  for (const at of [0, 1, 2]) progress.take('a', 't/0', at);
  progress.committed('t/0', 2);
  progress.assigned('b', 't/0');
  expect(progress.take('b', 't/0', 1)).toContain('begins t/0 at 1');
  progress.assigned('c', 't/0');
  expect(progress.take('c', 't/0', 2)).toBeUndefined();
});

it('a coordinator that has less than a member was told is found', () => {
  const progress = new GroupProgress('g');
  progress.committed('t/0', 2);
  expect(() => progress.found('t/0', 2)).not.toThrow();
  expect(() => progress.found('t/0', 1)).toThrow('group-progress');
});
