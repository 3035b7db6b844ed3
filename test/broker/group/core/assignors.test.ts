import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AssignableTopic, assign } from '../../../../broker/group/core/assignor.ts';
import { type PartitionKey, partitionKey } from '../../../../broker/group/core/group-state.ts';
import { compilePattern } from '../../../../broker/group/core/topic-pattern.ts';
import { topicNumber } from '../group-builders.ts';

function topic(name: string, partitions: number): AssignableTopic {
  return { topicId: topicNumber(name), name, partitions };
}

function members(count: number, topics: readonly AssignableTopic[]) {
  return Array.from({ length: count }, (_, index) => ({
    member: `m${index}`,
    topics,
    target: new Set<PartitionKey>(),
  }));
}

describe('the uniform assignor', () => {
  it('gives every partition to one subscriber, and numbers that differ by one at most', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.nat(20), fc.nat(20), (count, a, b) => {
        const topics = [topic('a', a), topic('b', b)];
        const targets = [...assign('uniform', members(count, topics)).values()];
        const all = targets.flatMap((target) => [...target]);
        expect(new Set(all).size).toBe(all.length);
        expect(all.length).toBe(a + b);
        const sizes = targets.map((target) => target.size);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('moves no more than it must when a member comes or goes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 8 }), fc.integer({ min: 1, max: 40 }), (count, n) => {
        const topics = [topic('a', n)];
        const before = assign('uniform', members(count, topics));
        const kept = members(count - 1, topics).map((one) => ({
          ...one,
          target: before.get(one.member) ?? new Set<PartitionKey>(),
        }));
        const after = assign('uniform', kept);
        for (const { member, target } of kept)
          for (const key of target) expect(after.get(member)?.has(key)).toBe(true);
      }),
    );
  });

  it('gives nothing to a member that does not subscribe', () => {
    const one = { member: 'm1', topics: [topic('a', 4)], target: new Set<PartitionKey>() };
    const two = { member: 'm2', topics: [topic('b', 2)], target: new Set<PartitionKey>() };
    const targets = assign('uniform', [one, two]);
    expect(targets.get('m2')).toEqual(
      new Set([partitionKey(topicNumber('b'), 0), partitionKey(topicNumber('b'), 1)]),
    );
    expect(targets.get('m1')?.size).toBe(4);
  });
});

it('the range assignor cuts equal topics alike', () => {
  const targets = assign('range', members(3, [topic('a', 7), topic('b', 7)]));
  for (const target of targets.values()) {
    const numbers = (name: string): number[] =>
      [...target]
        .filter((key) => key.startsWith(topicNumber(name)))
        .map((key) => Number(key.slice(37)));
    expect(numbers('a')).toEqual(numbers('b'));
  }
  expect([...targets.values()].reduce((sum, target) => sum + target.size, 0)).toBe(14);
});

describe('a topic pattern', () => {
  const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '(a|b)', '(ab|a)', '\\d');
  const part = fc.tuple(atom, fc.constantFrom('', '*', '+', '?')).map((two) => two.join(''));
  const text = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join(''));

  it('matches what the engine of the language matches', () => {
    const names = fc.array(fc.constantFrom('a', 'b', 'c', '1'), { maxLength: 6 });
    fc.assert(
      fc.property(text, names, (pattern, letters) => {
        const name = letters.join('');
        const compiled = compilePattern(pattern);
        expect(compiled.kind).toBe('pattern');
        if (compiled.kind === 'pattern')
          expect(compiled.matches(name)).toBe(new RegExp(`^(?:${pattern})$`).test(name));
      }),
      { numRuns: 1_000 },
    );
  });

  it('takes time in proportion to the name where backtracking would take for ever', () => {
    const compiled = compilePattern('(a+)+(a+)+(a*)*b');
    expect(compiled.kind === 'pattern' && compiled.matches('a'.repeat(249))).toBe(false);
  });

  it.each(['(', ')', '[a', '*a', 'a{2}', '(?=a)', 'a^b', '\\b'])('%s is refused', (pattern) => {
    expect(compilePattern(pattern).kind).toBe('fault');
  });
});
