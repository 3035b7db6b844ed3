import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkRegisters, type RegisterOperation } from './linearizability.ts';

interface Plan {
  readonly writers: number;
  readonly seeds: readonly number[];
}

const plans: fc.Arbitrary<Plan> = fc.record({
  writers: fc.integer({ min: 1, max: 4 }),
  seeds: fc.array(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 20, maxLength: 60 }),
});

/**
 * A history of one register that some processes had: each operation happens at a moment of its own,
 * and is invoked a little earlier and answered a little later.
 */
function cleanHistory({ writers, seeds }: Plan): RegisterOperation[] {
  const freeAt = Array.from({ length: writers }, () => 0);
  let value: string | undefined;
  return seeds.map((seed, step) => {
    const process = seed % writers;
    const at = (step + 1) * 10;
    const invokedAt = Math.max(freeAt[process] ?? 0, at - 1 - (seed % 40));
    const answeredAt = at + 1 + ((seed >> 3) % 8);
    freeAt[process] = answeredAt + 0.5;
    const isWrite = step === 0 || seed % 3 === 0;
    if (isWrite) value = String(step);
    return { register: 'r', kind: isWrite ? 'write' : 'read', value, invokedAt, answeredAt };
  });
}

function verdictOf(history: readonly RegisterOperation[]): string {
  return checkRegisters(history).kind;
}

function operation(
  kind: 'read' | 'write',
  value: string | undefined,
  invokedAt: number,
  answeredAt: number | undefined,
): RegisterOperation {
  return { register: 'r', kind, value, invokedAt, answeredAt };
}

describe('the checker of registers', () => {
  it('passes every clean history', () => {
    fc.assert(
      fc.property(plans, (plan) => {
        expect(verdictOf(cleanHistory(plan))).toBe('linearizable');
      }),
    );
  });

  it('flags a read of a value that nobody wrote', () => {
    fc.assert(
      fc.property(plans, fc.nat(), (plan, at) => {
        const history = cleanHistory(plan);
        const last = history.at(-1)?.answeredAt ?? 0;
        history.splice(at % history.length, 0, operation('read', 'nobody', last + 1, last + 2));
        expect(verdictOf(history)).toBe('violated');
      }),
    );
  });

  it('flags a stale read after the end of every clean history with two writes', () => {
    fc.assert(
      fc.property(plans, (plan) => {
        const history = cleanHistory(plan);
        const last = history.at(-1)?.answeredAt ?? 0;
        const writes = [operation('write', 'a', last + 1, last + 2)];
        const stale = operation('read', '0', last + 3, last + 4);
        expect(verdictOf([...history, ...writes, stale])).toBe('violated');
      }),
    );
  });

  it('flags an acknowledged write that is lost', () => {
    const history = [
      operation('write', 'a', 0, 1),
      operation('write', 'b', 2, 3),
      operation('read', 'a', 4, 5),
    ];
    expect(verdictOf(history)).toBe('violated');
  });

  it('flags reads that go back', () => {
    const history = [
      operation('write', 'a', 0, 1),
      operation('write', 'b', 2, 10),
      operation('read', 'b', 3, 4),
      operation('read', 'a', 5, 6),
    ];
    expect(verdictOf(history)).toBe('violated');
  });

  it('flags a write that happens twice', () => {
    const history = [
      operation('write', 'a', 0, 1),
      operation('write', 'b', 2, 3),
      operation('read', 'a', 4, 5),
      operation('read', 'b', 6, 7),
    ];
    expect(verdictOf(history)).toBe('violated');
  });

  it('flags two processes that see two writes in different orders', () => {
    const history = [
      operation('write', 'a', 0, 20),
      operation('write', 'b', 0, 20),
      operation('read', 'a', 1, 2),
      operation('read', 'b', 3, 4),
      operation('read', 'a', 5, 6),
    ];
    expect(verdictOf(history)).toBe('violated');
  });

  it('lets a write without an answer happen at any time later, or never', () => {
    const seen = [
      operation('write', 'a', 0, 1),
      operation('write', 'b', 2, undefined),
      operation('read', 'a', 3, 4),
    ];
    expect(verdictOf(seen)).toBe('linearizable');
    expect(verdictOf([...seen, operation('read', 'b', 50, 51)])).toBe('linearizable');
    const back = [operation('read', 'b', 50, 51), operation('read', 'a', 52, 53)];
    expect(verdictOf([...seen, ...back])).toBe('violated');
  });

  it('judges every register by itself and names the one that is wrong', () => {
    const wrong = { ...operation('read', 'x', 0, 1), register: 'wrong' };
    expect(checkRegisters([operation('write', 'a', 0, 1), wrong])).toEqual({
      kind: 'violated',
      register: 'wrong',
    });
  });
});
