import { describe, expect, test } from 'vitest';
import {
  allOf,
  failWith,
  hang,
  nth,
  onOperation,
  onPath,
  skip,
} from '../../../../proto/ports/memory/disk-faults.ts';
import { MemoryKeyValueStorage } from '../../../../proto/ports/memory/memory-key-value.ts';
import { SeededRandom } from '../../../../proto/ports/memory/seeded-random.ts';
import { VirtualTime } from '../../../../proto/ports/memory/virtual-time.ts';
import { codeOf, keyValueConformance, putOf, textOf } from '../key-value.conformance.ts';

describe.each(['commit', 'flush'] as const)(
  'the memory store, visible at %s, is a KeyValueStore',
  (visibility) => {
    keyValueConformance(async () => {
      const storage = new MemoryKeyValueStorage();
      storage.visibility = visibility;
      return { opener: storage.mount(), directory: '/meta' };
    });
  },
);

const synced = { durability: 'synced', tables: ['state'] } as const;
const unsynced = { durability: 'unsynced', tables: ['state'] } as const;
const random = new SeededRandom(5);

/** What a successor of the dead process reads. */
async function stateAfter(storage: MemoryKeyValueStorage): Promise<string[]> {
  return textOf((await storage.mount().open('/meta', synced)).range('state', {}));
}

/** A store whose flushes take 5 ms of virtual time. */
async function slowStore(visibility: 'commit' | 'flush') {
  const time = new VirtualTime();
  const storage = new MemoryKeyValueStorage();
  storage.visibility = visibility;
  storage.flushMs = 5;
  const store = await storage.mount(time.clockFor('1')).open('/meta', synced);
  return { time, storage, store };
}

describe('a power loss', () => {
  test('keeps resolved commits of a synced store and some prefix of the others', async () => {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 60; seed++) {
      const { time, storage, store } = await slowStore('commit');
      await time.complete(store.commit([putOf('a', '1')]), 100);
      for (const key of ['b', 'c', 'd']) void store.commit([putOf(key, '1')]);
      await time.advance(1);
      storage.crash(new SeededRandom(seed));
      outcomes.add((await stateAfter(storage)).join());
    }
    expect(outcomes).toEqual(new Set(['a=1', 'a=1,b=1', 'a=1,b=1,c=1', 'a=1,b=1,c=1,d=1']));
  });

  test('in drop mode loses every commit that had not resolved', async () => {
    const { time, storage, store } = await slowStore('flush');
    void store.commit([putOf('a', '1')]);
    await time.advance(4);
    storage.crash(random, 'drop');
    expect(await stateAfter(storage)).toEqual([]);
    expect(await codeOf(() => store.commit([]))).toBe('CLOSED');
  });

  test('loses and tears an unsynced store, unless it was closed', async () => {
    const counts = new Set<number>();
    for (let seed = 0; seed < 20; seed++) {
      const storage = new MemoryKeyValueStorage();
      const store = await storage.mount().open('/index', unsynced);
      for (let key = 10; key < 30; key++) await store.commit([putOf(String(key), '')]);
      if (seed === 0) await store.close();
      storage.crash(new SeededRandom(seed));
      const after = await storage.mount().open('/index', unsynced);
      const kept = textOf(after.range('state', {})).length;
      if (seed === 0) expect(kept).toBe(20);
      else counts.add(kept);
    }
    expect(counts.size).toBeGreaterThan(5);
  });
});

describe('visibility', () => {
  test('at commit shows a value before it is durable, at flush only afterwards', async () => {
    for (const visibility of ['commit', 'flush'] as const) {
      const { time, storage, store } = await slowStore(visibility);
      const commit = store.commit([putOf('a', '1')]);
      await time.advance(1);
      const expected = visibility === 'commit' ? ['a=1'] : [];
      expect(textOf(store.range('state', {}))).toEqual(expected);
      storage.killProcess();
      expect(await stateAfter(storage)).toEqual(expected);
      void commit;
    }
  });
});

describe('faults', () => {
  test('a failed commit rejects and so does every later one, for good', async () => {
    const storage = new MemoryKeyValueStorage();
    const store = await storage.mount().open('/meta', synced);
    storage.faults.add(allOf(onOperation('commit'), onPath(/meta/), nth(2)), failWith('EIO'));
    await store.commit([putOf('a', '1')]);
    expect(await codeOf(() => store.commit([putOf('b', '1')]))).toBe('STORAGE_ERROR');
    expect(await codeOf(() => store.commit([putOf('c', '1')]))).toBe('STORAGE_ERROR');
    storage.crash(random, 'drop');
    expect(await stateAfter(storage)).toEqual(['a=1']);
  });

  test('commits behind a hung one wait for it', async () => {
    const time = new VirtualTime();
    const storage = new MemoryKeyValueStorage();
    const store = await storage.mount().open('/meta', synced);
    const rule = storage.faults.add(nth(1), hang);
    const order: string[] = [];
    void store.commit([putOf('a', '1')]).then(() => order.push('a'));
    void store.commit([putOf('b', '1')]).then(() => order.push('b'));
    await time.settle();
    expect(order).toEqual([]);
    rule.remove();
    await time.settle();
    expect(order).toEqual(['a', 'b']);
  });

  test('a disk that lies resolves and forgets', async () => {
    const storage = new MemoryKeyValueStorage();
    const store = await storage.mount().open('/meta', synced);
    storage.faults.add(onOperation('commit'), skip);
    await store.commit([putOf('a', '1')]);
    storage.crash(random, 'drop');
    expect(await stateAfter(storage)).toEqual([]);
  });
});
