import { describe, expect, it } from 'vitest';
import { Claims, valueText } from '../../../../broker/main/demo/claims.ts';

describe('claims', () => {
  it('hold only if there are any and all of them do', () => {
    const claims = new Claims();
    expect(claims.hold).toBe(false);
    claims.equals('nothing lost', 0, 0);
    expect(claims.hold).toBe(true);
    claims.equals('nothing doubled', 1, 0);
    expect(claims.hold).toBe(false);
    expect(claims.all.map(({ holds }) => holds)).toEqual([true, false]);
  });

  it('keep what was expected beside what was observed', () => {
    const claims = new Claims();
    claims.equals('held by', [2, 3], [2, 3]);
    claims.atMost('gap', 12.345, 10);
    claims.atLeast('records', 5, 6);
    claims.between('times', 3, [2, 4]);
    expect(claims.all).toEqual([
      { claim: 'held by', expected: '2, 3', observed: '2, 3', holds: true },
      { claim: 'gap', expected: 'at most 10', observed: '12.3', holds: false },
      { claim: 'records', expected: 'at least 6', observed: '5', holds: false },
      { claim: 'times', expected: 'between 2 and 4', observed: '3', holds: true },
    ]);
  });

  it.each([Number.NaN, undefined])('never hold for a figure that was not measured: %s', (value) => {
    const claims = new Claims();
    const figure = value ?? Number.NaN;
    claims.atMost('at most', figure, 10);
    claims.atLeast('at least', figure, 0);
    claims.between('between', figure, [0, 10]);
    expect(claims.all.some(({ holds }) => holds)).toBe(false);
  });

  it('are exact about lists: none is not one empty text, and order counts', () => {
    expect(valueText([])).not.toBe(valueText(['']));
    const claims = new Claims();
    claims.equals('order', ['a', 'b'], ['b', 'a']);
    expect(claims.hold).toBe(false);
  });
});
