import { describe, expect, test } from 'vitest';
import { LossyFileSystem } from '../../../../proto/ports/lossy/lossy-file-system.ts';
import { lossyKeyValueOpener } from '../../../../proto/ports/lossy/lossy-key-value.ts';
import { MemoryDisk } from '../../../../proto/ports/memory/memory-disk.ts';
import { MemoryKeyValueStorage } from '../../../../proto/ports/memory/memory-key-value.ts';
import { lmdbKeyValueOpener } from '../../../../proto/ports/node/lmdb-key-value.ts';
import { nodeClock } from '../../../../proto/ports/node/node-clock.ts';
import { nodeFileSystem } from '../../../../proto/ports/node/node-file-system.ts';
import { contentOf, fileSystemConformance } from '../file-system.conformance.ts';
import { keyValueConformance, putOf, textOf } from '../key-value.conformance.ts';
import { scratch } from '../node/scratch.ts';

describe('the lossy file system is a FileSystem', () => {
  fileSystemConformance(async () => ({
    fileSystem: new LossyFileSystem(nodeFileSystem()),
    ...(await scratch()),
  }));
});

describe('the lossy store over LMDB is a KeyValueStore', () => {
  keyValueConformance(async () => {
    const { root, dispose } = await scratch();
    const opener = lossyKeyValueOpener(lmdbKeyValueOpener({ clock: nodeClock }));
    return { opener, directory: `${root}/meta`, dispose };
  });
});

describe('a killed process over the lossy wrappers', () => {
  test('takes unsynced bytes with it and leaves those that were synced', async () => {
    const disk = new MemoryDisk();
    const lossy = new LossyFileSystem(disk.mount());
    const file = await lossy.open('/a', 'create');
    await file.write([Buffer.from('durable')], 0);
    await file.sync();
    await file.truncate(3);
    await file.write([Buffer.from('unsynced')], 1);
    await file.close();
    expect(await contentOf(lossy, '/a')).toBe('dunsynced');
    expect(await lossy.stat('/a')).toMatchObject({ bytes: 9 });
    disk.killProcess();
    expect(await contentOf(disk.mount(), '/a')).toBe('durable');
  });

  test('takes the commits of an unsynced store with it', async () => {
    const storage = new MemoryKeyValueStorage();
    const options = { durability: 'unsynced', tables: ['state'] } as const;
    const store = await lossyKeyValueOpener(storage.mount()).open('/index', options);
    await store.commit([putOf('a', '1')]);
    expect(textOf(store.range('state', {}))).toEqual(['a=1']);
    storage.killProcess();
    expect(textOf((await storage.mount().open('/index', options)).range('state', {}))).toEqual([]);
  });
});
