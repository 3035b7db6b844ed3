import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PersistentMap } from '../../../proto/metadata/persistent-map.ts';

/** The map against Map: any order of changes, with and without an owner. */
type Step =
  | { kind: 'set'; key: number; value: number }
  | { kind: 'delete'; key: number }
  | { kind: 'hand-out' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('set' as const), key: key(), value: fc.nat(9) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('delete' as const), key: key() }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'hand-out' as const }) },
);

function key(): fc.Arbitrary<number> {
  return fc.oneof(fc.nat(60), fc.nat(100_000), fc.constantFrom(0xffff_fffe, 0xffff_ffff, 2 ** 40));
}

function build(steps: readonly Step[], name: (key: number) => string | number) {
  let owner = { purpose: 'test' };
  let map = PersistentMap.empty<string | number, number>();
  const twin = new Map<string | number, number>();
  const handedOut: [PersistentMap<string | number, number>, Map<string | number, number>][] = [];
  for (const one of steps) {
    if (one.kind === 'set') {
      map = map.set(name(one.key), one.value, owner);
      twin.set(name(one.key), one.value);
    } else if (one.kind === 'delete') {
      map = map.delete(name(one.key), owner);
      twin.delete(name(one.key));
    } else {
      handedOut.push([map, new Map(twin)]);
      owner = { purpose: 'the next one' };
    }
  }
  handedOut.push([map, twin]);
  return handedOut;
}

const names = [(n: number) => n, (n: number) => `topic-${n}`, (n: number) => `${n % 7}`];

describe('a persistent map', () => {
  it('holds what a Map holds, and a map that was handed out never changes', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), fc.constantFrom(...names), (steps, name) => {
        for (const [map, twin] of build(steps, name)) {
          expect(map.size).toBe(twin.size);
          expect(new Map(map.entries())).toEqual(twin);
          for (const [one, value] of twin) expect(map.get(one)).toBe(value);
          expect(map.get('absent')).toBeUndefined();
        }
      }),
      { numRuns: 150 },
    );
  });

  it('iterates in an order that no history changes, numbers in their own', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const [map, twin] = build(steps, (n) => n).at(-1) ?? [];
        let anew = PersistentMap.empty<string | number, number>();
        for (const [one, value] of [...(twin ?? [])].toReversed()) anew = anew.set(one, value);
        expect([...(map?.entries() ?? [])]).toEqual([...anew.entries()]);
        const small = [...(map?.keys() ?? [])].map(Number).filter((n) => n < 2 ** 32);
        expect(small).toEqual(small.toSorted((a, b) => a - b));
      }),
      { numRuns: 100 },
    );
  });

  it('says exactly what differs between any two of its versions', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), fc.constantFrom(...names), (steps, name) => {
        const versions = build(steps, name);
        for (const [older, before] of versions) {
          for (const [newer, after] of versions) {
            const patched = new Map(before);
            let count = 0;
            for (const change of newer.changesSince(older)) {
              expect(change.before).toBe(before.get(change.key));
              if (change.after === undefined) patched.delete(change.key);
              else patched.set(change.key, change.after);
              count++;
            }
            expect(patched).toEqual(after);
            const keys = new Set([...before.keys(), ...after.keys()]);
            expect(count).toBe([...keys].filter((k) => before.get(k) !== after.get(k)).length);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('shares all but a path with its successor', () => {
    let map = PersistentMap.empty<number, object>();
    const owner = { purpose: 'fill' };
    for (let n = 0; n < 100_000; n++) map = map.set(n, { n }, owner);
    const next = map.set(50_000, {});
    let looked = 0;
    for (const change of next.changesSince(map)) {
      looked++;
      expect(change.key).toBe(50_000);
    }
    expect(looked).toBe(1);
  });
});
