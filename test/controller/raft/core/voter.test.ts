import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  isMajority,
  majorityReached,
  type Voter,
  voterId,
} from '../../../../controller/raft/core/voter.ts';
import { nodeId, storageId } from '../../../../proto/model/ids.ts';
import { logIndex } from '../../../../proto/model/offset.ts';

function voters(count: number): Voter[] {
  return Array.from({ length: count }, (_, at) => {
    const node = nodeId(at + 1);
    const storage = storageId(`00000000-0000-4000-8000-${String(at + 1).padStart(12, '0')}`);
    return { id: voterId(node, storage), nodeId: node, storageId: storage, host: 'h', port: 1 };
  });
}

it('what a majority reached is the greatest value that more than half have', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50), { minLength: 1, maxLength: 7 }), (values) => {
      const configuration = { index: logIndex(1), voters: voters(values.length) };
      const of = new Map(configuration.voters.map(({ id }, at) => [id, values[at] ?? 0]));
      const reached = majorityReached(configuration, (id) => of.get(id) ?? 0) ?? -1;
      const having = (value: number) => values.filter((one) => one >= value).length;
      expect(having(reached) * 2).toBeGreaterThan(values.length);
      expect(having(reached + 1) * 2).toBeLessThanOrEqual(values.length);
    }),
  );
});

it('strangers do not make a majority', () => {
  const [first, ...others] = voters(4);
  const configuration = {
    index: logIndex(1),
    voters: first === undefined ? [] : [first, ...others.slice(0, 1)],
  };
  expect(isMajority(configuration, new Set(others.map(({ id }) => id)))).toBe(false);
});

it('two majorities of neighbouring configurations share a voter', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.nat(127), fc.nat(255), (count, a, b) => {
      const all = voters(count + 1);
      const smaller = { index: logIndex(1), voters: all.slice(0, count) };
      const larger = { index: logIndex(2), voters: all };
      const chosen = (bits: number) =>
        new Set(all.filter((_, at) => (bits >> at) % 2 === 1).map(({ id }) => id));
      const [left, right] = [chosen(a), chosen(b)];
      fc.pre(isMajority(smaller, left) && isMajority(larger, right));
      expect([...left].some((id) => right.has(id))).toBe(true);
    }),
  );
});
