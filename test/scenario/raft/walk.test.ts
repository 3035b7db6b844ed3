import { expect, test } from 'vitest';
import { walkQuorum } from './walk.ts';

/** `WALKS=100000` walks longer. */
const walks = Number(process.env['WALKS'] ?? '80');

test.each([
  ['5 voters', { voters: 5, spares: 0, steps: 200 }],
  ['3 voters, 2 that come and go', { voters: 3, spares: 2, steps: 300 }],
  ['2 voters, 3 that come and go', { voters: 2, spares: 3, steps: 300 }],
  ['5 voters, bare majorities', { voters: 5, spares: 0, steps: 200, isThin: true }],
] as const)('%s: no walk makes the quorum contradict itself', (name, options) => {
  let [terms, committed, changes] = [0, 0, 0];
  for (let seed = 1; seed <= walks; seed++) {
    try {
      const walk = walkQuorum(seed, options);
      terms += walk.terms;
      committed += walk.committed;
      changes += walk.configurations;
    } catch (error) {
      throw new Error(`seed ${seed} of "${name}" breaks an invariant`, { cause: error });
    }
  }
  // Not vacuous: leaders came and went, entries were committed, voters changed.
  expect(terms).toBeGreaterThan(3 * walks);
  expect(committed).toBeGreaterThan(walks / 2);
  if (options.spares > 0) expect(changes).toBeGreaterThan(walks);
});

test('the same seed walks the same way', () => {
  const options = { voters: 3, spares: 2, steps: 300 };
  expect(walkQuorum(7, options)).toEqual(walkQuorum(7, options));
});
