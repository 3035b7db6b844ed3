import { describe, expect, test } from 'vitest';
import { ruleNames } from './core-rules.ts';
import { harnesses } from './harnesses.ts';
import { readKills } from './kills.ts';
import { mutants, nameOf } from './mutants.ts';

/** The replay itself is `npm run mutants`. */
describe('the table of mutants', () => {
  test('has every switch of the cores', () => {
    expect(mutants.map(nameOf).toSorted()).toEqual([...ruleNames].toSorted());
  });

  test('has the 14 breaks of the model of the design', () => {
    const breaks = mutants.flatMap(({ model }) => (model === undefined ? [] : [model]));
    expect(new Set(breaks).size).toBe(14);
  });

  test('has a recorded kill for each, found within 5,000 seeds of a harness that exists', () => {
    const kills = readKills();
    const killed = new Set(kills.map(({ mutant }) => mutant));
    expect(mutants.map(nameOf).filter((name) => !killed.has(name))).toEqual([]);
    for (const { harness, tried } of kills) {
      expect(harnesses.map(({ name }) => name)).toContain(harness);
      expect(tried).toBeLessThanOrEqual(5_000);
    }
  });
});
