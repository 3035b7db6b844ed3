import { describe, expect, test } from 'vitest';
import { SeededRandom } from '../../../../proto/ports/memory/seeded-random.ts';
import { randomConformance } from '../random.conformance.ts';

describe('the seeded random is a Random', () => {
  randomConformance(() => new SeededRandom(7));
});

function draws(random: SeededRandom): number[] {
  return Array.from({ length: 10 }, () => random.below(2 ** 32));
}

describe('a seeded random', () => {
  test('gives the same values for the same seed and others for another', () => {
    expect(draws(new SeededRandom(42))).toEqual(draws(new SeededRandom(42)));
    expect(draws(new SeededRandom(42))).not.toEqual(draws(new SeededRandom(43)));
    expect(draws(new SeededRandom(1))).not.toEqual(draws(new SeededRandom(1 + 2 ** 32)));
  });

  test('keeps its values from release to release, so that old seeds keep their meaning', () => {
    expect(draws(new SeededRandom(42)).slice(0, 3)).toMatchInlineSnapshot(`
      [
        3874389771,
        3849014073,
        3506772557,
      ]
    `);
    expect(new SeededRandom(42).fork('disk').uuid()).toMatchInlineSnapshot(
      `"d6db4587-1ab3-488e-abae-8d3ac523bcf7"`,
    );
  });

  test('forks do not depend on what was drawn before, and differ by label', () => {
    const fresh = new SeededRandom(42);
    const used = new SeededRandom(42);
    draws(used);
    expect(draws(used.fork('disk'))).toEqual(draws(fresh.fork('disk')));
    expect(draws(fresh.fork('disk'))).not.toEqual(draws(fresh.fork('network')));
    expect(draws(fresh.fork('disk').fork('1'))).not.toEqual(draws(fresh.fork('network').fork('1')));
  });
});
