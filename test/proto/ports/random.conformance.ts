import { expect, test } from 'vitest';
import { isUuid } from '../../../proto/model/ids.ts';
import type { Random } from '../../../proto/ports/random.ts';

/** What every Random does. */
export function randomConformance(make: () => Random): void {
  test.each([1, 2, 3, 1000, 2 ** 31, 2 ** 32])('below %d stays below it', (bound) => {
    const random = make();
    for (let draw = 0; draw < 1000; draw++) {
      const value = random.below(bound);
      expect(Number.isInteger(value) && value >= 0 && value < bound).toBe(true);
    }
  });

  test('every value below a small bound comes about equally often', () => {
    const random = make();
    const counts = [0, 0, 0, 0, 0];
    for (let draw = 0; draw < 20_000; draw++) {
      const value = random.below(5);
      counts[value] = (counts[value] ?? 0) + 1;
    }
    // Nine standard deviations: a fair source does not fail in the life of the project.
    for (const count of counts) expect(Math.abs(count - 4000)).toBeLessThan(510);
  });

  test('values above 2^31 come too', () => {
    const random = make();
    const values = Array.from({ length: 200 }, () => random.below(2 ** 32));
    expect(Math.max(...values)).toBeGreaterThan(2 ** 31);
    expect(new Set(values).size).toBeGreaterThan(190);
  });

  test('uuids are version 4, in the spelling of ids, and differ', () => {
    const random = make();
    const drawn = Array.from({ length: 500 }, () => random.uuid());
    for (const text of drawn) {
      expect(isUuid(text)).toBe(true);
      expect(text).toMatch(/^.{14}4.{4}[89ab]/);
    }
    expect(new Set(drawn).size).toBe(500);
  });

  test('a bound that is not a whole number from 1 to 2^32 is a programming error', () => {
    const random = make();
    for (const bound of [0, -1, 1.5, 2 ** 32 + 1, Number.NaN]) {
      expect(() => random.below(bound)).toThrow('must hold');
    }
  });
}
