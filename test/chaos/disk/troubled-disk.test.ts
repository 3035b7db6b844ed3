import { describe, expect, test } from 'vitest';
import type { FileSystem } from '../../../proto/ports/file-system.ts';
import { MemoryDisk } from '../../../proto/ports/memory/memory-disk.ts';
import { MemoryKeyValueStorage } from '../../../proto/ports/memory/memory-key-value.ts';
import { errnoOf, fileSystemConformance } from '../../proto/ports/file-system.conformance.ts';
import { keyValueConformance, putOf, textOf } from '../../proto/ports/key-value.conformance.ts';
import { scratch } from '../../proto/ports/node/scratch.ts';
import { type DiskTrouble, noTrouble, setTrouble, TroubleWatch, takeHits } from './trouble.ts';
import { TroubledFileSystem } from './troubled-file-system.ts';
import { troubledKeyValueOpener } from './troubled-key-value.ts';

function gateOf(trouble: Partial<DiskTrouble>) {
  return {
    current: { ...noTrouble, ...trouble },
    hits: 0,
    hit() {
      this.hits++;
    },
  };
}

const at = '/log/00000000000000000000.log';

async function diskWith(trouble: Partial<DiskTrouble>) {
  const inner: FileSystem = new MemoryDisk().mount();
  await inner.makeDirectory('/log');
  const gate = gateOf(trouble);
  const file = await new TroubledFileSystem(inner, gate).open(at, 'create');
  return { inner, gate, file };
}

describe('a disk without trouble is a FileSystem', () => {
  fileSystemConformance(() => {
    const disk = new MemoryDisk();
    return Promise.resolve({
      fileSystem: new TroubledFileSystem(disk.mount(), gateOf({})),
      root: '/',
    });
  });
});

describe('a store without trouble is a KeyValueStore', () => {
  keyValueConformance(() =>
    Promise.resolve({
      opener: troubledKeyValueOpener(new MemoryKeyValueStorage().mount(), gateOf({})),
      directory: '/meta',
    }),
  );
});

test.each(['read', 'write', 'sync'] as const)(
  'a failing %s answers EIO, and counts',
  async (kind) => {
    const { gate, file } = await diskWith({ failing: [kind] });
    const operation = {
      read: () => file.read(Buffer.alloc(1), 0),
      write: () => file.write([Buffer.from('x')], 0),
      sync: () => file.sync(),
    };
    expect(await errnoOf(operation[kind]())).toBe('EIO');
    expect(gate.hits).toBe(1);
  },
);

test('a full disk takes a part, then nothing, and has nothing free', async () => {
  const { inner, gate, file } = await diskWith({ isFull: true });
  expect(await file.write([Buffer.from('12345678')], 0)).toBe(4);
  expect(await errnoOf(file.write([Buffer.from('5678')], 4))).toBe('ENOSPC');
  expect(await new TroubledFileSystem(inner, gate).freeBytes('/log')).toBe(0);
  expect(await (await inner.open(at, 'read')).size()).toBe(4);
});

test('a store takes nothing more after a commit that failed', async () => {
  const gate = gateOf({ failing: ['commit'] });
  const opener = troubledKeyValueOpener(new MemoryKeyValueStorage().mount(), gate);
  const store = await opener.open('/meta', { durability: 'synced', tables: ['state'] });
  await expect(store.commit([putOf('a', '1')])).rejects.toMatchObject({ code: 'STORAGE_ERROR' });
  gate.current = noTrouble;
  await expect(store.commit([putOf('b', '1')])).rejects.toMatchObject({ code: 'STORAGE_ERROR' });
  expect(textOf(store.range('state', {}))).toEqual([]);
});

test('slow commits take effect in the order of their calls', async () => {
  const gate = gateOf({ slowMs: 30 });
  const opener = troubledKeyValueOpener(new MemoryKeyValueStorage().mount(), gate);
  const store = await opener.open('/meta', { durability: 'synced', tables: ['state'] });
  const first = store.commit([putOf('a', 'first')]);
  gate.current = noTrouble;
  await store.commit([putOf('a', 'second')]);
  await first;
  expect(textOf(store.range('state', {}))).toEqual(['a=second']);
});

test('what is set outside is seen inside, and what it hit is told', async () => {
  const { root, dispose } = await scratch();
  const data = `${root}/node-1`;
  setTrouble(data, { slowMs: 7 });
  const watch = TroubleWatch.start(data);
  expect(watch.current).toEqual({ ...noTrouble, slowMs: 7 });
  watch.hit();
  expect(takeHits(data)).toBe(1);
  setTrouble(data, {});
  await expect.poll(() => watch.current).toEqual(noTrouble);
  await dispose();
});
