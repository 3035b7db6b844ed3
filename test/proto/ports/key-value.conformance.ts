import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { HighwaterError } from '../../../proto/model/errors.ts';
import type {
  KeyValueChange,
  KeyValueEntry,
  KeyValueOpener,
  KeyValueStore,
} from '../../../proto/ports/key-value.ts';

/** An opener under test, a directory for a store, and what to do afterwards. */
export interface KeyValueUnderTest {
  readonly opener: KeyValueOpener;
  readonly directory: string;
  readonly dispose?: () => Promise<void>;
}

const tables = ['state', 'log'];
const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

export function putOf(key: string, value: string, table = 'state'): KeyValueChange {
  return { table, key: bytes(key), value: bytes(value) };
}

/** Entries as `key=value`. */
export function textOf(entries: Iterable<KeyValueEntry>): string[] {
  return [...entries].map(
    ({ key, value }) => `${key.toString('latin1')}=${value.toString('latin1')}`,
  );
}

/** The error code that an operation fails with. */
export async function codeOf(operation: () => unknown): Promise<string> {
  try {
    await operation();
  } catch (error) {
    return HighwaterError.from(error).code;
  }
  return 'no error';
}

/** What every KeyValueStore does while nothing fails. */
export function keyValueConformance(make: () => Promise<KeyValueUnderTest>): void {
  const disposals: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const dispose of disposals.splice(0).reverse()) await dispose();
  });
  const start = async (durability: 'synced' | 'unsynced' = 'synced') => {
    const { opener, directory, dispose } = await make();
    if (dispose !== undefined) disposals.push(dispose);
    const open = async (): Promise<KeyValueStore> => {
      const store = await opener.open(directory, { durability, tables });
      disposals.push(() => store.close());
      return store;
    };
    return { opener, directory, open, store: await open() };
  };

  test.each(['synced', 'unsynced'] as const)(
    'a commit of a %s store is visible once it resolved, and after a clean reopen',
    async (durability) => {
      const { store, open } = await start(durability);
      expect(store.get('state', bytes('a'))).toBeUndefined();
      await store.commit([putOf('a', '1'), putOf('b', ''), putOf('a', 'log', 'log')]);
      await store.close();
      const again = await open();
      expect(textOf(again.range('state', {}))).toEqual(['a=1', 'b=']);
      expect(again.get('state', bytes('b'))).toEqual(Buffer.alloc(0));
      expect(again.get('log', bytes('a'))).toEqual(bytes('log'));
    },
  );

  test('keys are ordered by their bytes, and ranges are half open', async () => {
    const { store } = await start();
    const keys = ['\xff', 'b', '\x00', 'a', 'ab', '\x00\x00', 'a\x00', '\x7f', '\x80'];
    await store.commit(keys.map((key) => putOf(key, '')));
    const sorted = ['\x00', '\x00\x00', 'a', 'a\x00', 'ab', 'b', '\x7f', '\x80', '\xff'];
    const keysOf = (range: Parameters<KeyValueStore['range']>[1]) =>
      textOf(store.range('state', range)).map((text) => text.slice(0, -1));
    expect(keysOf({})).toEqual(sorted);
    expect(keysOf({ reverse: true })).toEqual(sorted.toReversed());
    const [from, to] = [bytes('a'), bytes('b')];
    expect(keysOf({ from, to })).toEqual(['a', 'a\x00', 'ab']);
    expect(keysOf({ from, to, reverse: true })).toEqual(['ab', 'a\x00', 'a']);
    expect(keysOf({ from, to, reverse: true, limit: 1 })).toEqual(['ab']);
    expect(keysOf({ from, limit: 2 })).toEqual(['a', 'a\x00']);
    expect(keysOf({ to: from })).toEqual(['\x00', '\x00\x00']);
    expect(keysOf({ from: to, to: from })).toEqual([]);
    expect(keysOf({ from: bytes('aa'), to: bytes('aa\x00') })).toEqual([]);
  });

  test('a range is one consistent view, whatever is committed while it is read', async () => {
    const { store } = await start();
    await store.commit([putOf('a', '1'), putOf('b', '1'), putOf('c', '1')]);
    const iterator = store.range('state', {})[Symbol.iterator]();
    const seen = [iterator.next()];
    await store.commit([putOf('b', '2'), putOf('bb', '2'), putOf('c', '2')]);
    for (let next = iterator.next(); next.done !== true; next = iterator.next()) seen.push(next);
    expect(textOf(seen.map(({ value }) => value as KeyValueEntry))).toEqual(['a=1', 'b=1', 'c=1']);
    expect(textOf(store.range('state', {}))).toEqual(['a=1', 'b=2', 'bb=2', 'c=2']);
  });

  test('the changes of a commit take effect in order, commits in the order of their calls', async () => {
    const { store } = await start();
    await Promise.all([
      store.commit([putOf('a', '1'), putOf('b', '1')]),
      store.commit([{ table: 'state', key: bytes('a'), value: undefined }, putOf('c', '2')]),
      store.commit([
        putOf('d', '3'),
        { table: 'state', key: bytes('b'), removeTo: bytes('d') },
        putOf('c', '4'),
      ]),
      store.commit([]),
    ]);
    expect(textOf(store.range('state', {}))).toEqual(['c=4', 'd=3']);
  });

  test('the caller may use its buffers again once the commit resolved, and those it was given', async () => {
    const { store } = await start();
    const key = bytes('a');
    const value = Buffer.alloc(5000, 'x');
    await store.commit([{ table: 'state', key, value }]);
    key.fill('z');
    value.fill('y');
    const [first] = store.range('state', {});
    const got = store.get('state', bytes('a'));
    await store.commit([{ table: 'state', key: bytes('a'), value: Buffer.alloc(5000, 'w') }]);
    store.get('state', bytes('a'));
    expect(got?.equals(Buffer.alloc(5000, 'x'))).toBe(true);
    expect(first?.value.equals(Buffer.alloc(5000, 'x'))).toBe(true);
    expect(String(first?.key)).toBe('a');
  });

  test('keys of every allowed length work, and others are a programming error', async () => {
    const { store } = await start();
    const longest = bytes('k'.repeat(1978));
    await store.commit([{ table: 'state', key: longest, value: Buffer.alloc(100_000, 1) }]);
    expect(store.get('state', longest)?.length).toBe(100_000);
    for (const key of [bytes(''), bytes('k'.repeat(1979))]) {
      await expect(store.commit([{ table: 'state', key, value: key }])).rejects.toThrow(
        'must hold',
      );
    }
    await expect(store.commit([putOf('a', '', 'unknown')])).rejects.toThrow('must hold');
    await store.commit([putOf('a', '1')]);
  });

  test('close waits for commits, and a closed store refuses', async () => {
    const { store, open } = await start();
    const commit = store.commit([putOf('a', '1')]);
    await store.close();
    await store.close();
    await commit;
    expect(await codeOf(() => store.commit([putOf('b', '1')]))).toBe('CLOSED');
    expect(await codeOf(() => store.get('state', bytes('a')))).toBe('CLOSED');
    expect(await codeOf(() => store.range('state', {}))).toBe('CLOSED');
    expect(textOf((await open()).range('state', {}))).toEqual(['a=1']);
  });

  test('wipe leaves nothing, and is harmless where nothing is', async () => {
    const { store, open, opener, directory } = await start('unsynced');
    await store.commit([putOf('a', '1')]);
    await store.close();
    await opener.wipe(directory);
    await opener.wipe(directory);
    expect(textOf((await open()).range('state', {}))).toEqual([]);
  });

  test('any sequence of commits leaves what a sorted map would hold', async () => {
    const key = fc.stringMatching(/^[ab\xff]{1,3}$/);
    const change = fc.oneof(
      fc.record({ key, value: fc.option(fc.string({ maxLength: 3 })) }),
      fc.record({ key, removeTo: key }),
    );
    const { store } = await start('unsynced');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(change, { maxLength: 6 }), { maxLength: 6 }),
        async (all) => {
          const model = new Map<string, string>();
          await store.commit([
            { table: 'log', key: bytes('\x00'), removeTo: bytes('\xff'.repeat(9)) },
          ]);
          const commits = all.map((changes) => {
            for (const each of changes) applyToModel(model, each);
            return store.commit(changes.map(changeOf));
          });
          await Promise.all(commits);
          const expected = [...model].sort(([one], [other]) => (one < other ? -1 : 1));
          expect(textOf(store.range('log', {}))).toEqual(expected.map(([k, v]) => `${k}=${v}`));
        },
      ),
      { numRuns: 60 },
    );
  });
}

type ModelChange =
  | { readonly key: string; readonly value: string | null }
  | { readonly key: string; readonly removeTo: string };

function applyToModel(model: Map<string, string>, change: ModelChange): void {
  if ('removeTo' in change) {
    for (const key of model.keys()) {
      if (key >= change.key && key < change.removeTo) model.delete(key);
    }
  } else if (change.value === null) model.delete(change.key);
  else model.set(change.key, bytes(change.value).toString('latin1'));
}

function changeOf(change: ModelChange): KeyValueChange {
  const key = bytes(change.key);
  if ('removeTo' in change) return { table: 'log', key, removeTo: bytes(change.removeTo) };
  return { table: 'log', key, value: change.value === null ? undefined : bytes(change.value) };
}
