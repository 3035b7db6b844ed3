import { describe, expect, test } from 'vitest';
import { MemoryDisk } from '../../../../proto/ports/memory/memory-disk.ts';
import { SeededRandom } from '../../../../proto/ports/memory/seeded-random.ts';
import { VirtualTime } from '../../../../proto/ports/memory/virtual-time.ts';
import { contentOf, errnoOf, fileSystemConformance, put } from '../file-system.conformance.ts';
import { diskWith } from './disk-with.ts';

const random = new SeededRandom(3);

describe('the memory file system is a FileSystem', () => {
  fileSystemConformance(async () => {
    const fileSystem = new MemoryDisk().mount();
    await fileSystem.makeDirectory('/data');
    return { fileSystem, root: '/data' };
  });
});

describe('the memory file system with latency is a FileSystem', () => {
  fileSystemConformance(async () => {
    const disk = new MemoryDisk();
    disk.latency = () => 0.01;
    const fileSystem = disk.mount({ ...realTurns, wall: () => 0 });
    await fileSystem.makeDirectory('/data');
    return { fileSystem, root: '/data' };
  });
});

/** A clock without time: each wait is one turn of the real event loop. */
const realTurns = {
  now: () => 0,
  after: (_ms: number, callback: () => void) => {
    const immediate = setImmediate(callback);
    return { cancel: () => clearImmediate(immediate) };
  },
  soon: (callback: () => void) => {
    setImmediate(callback);
  },
};

describe('a power loss', () => {
  test('keeps what was synced, bytes and directory entry', async () => {
    for (let seed = 0; seed < 50; seed++) {
      const { disk, file } = await diskWith('durable');
      await file.write([Buffer.from('unsynced')], 7);
      disk.crash(new SeededRandom(seed));
      expect((await contentOf(disk.mount(), '/d/a')).slice(0, 7)).toBe('durable');
    }
  });

  test('may keep, drop, tear and reorder unsynced writes, and extend with zeros', async () => {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 400; seed++) {
      const { disk, file } = await diskWith('');
      await file.write([Buffer.alloc(4096, 'a')], 0);
      await file.write([Buffer.alloc(4096, 'b')], 4096);
      disk.crash(new SeededRandom(seed));
      const content = await contentOf(disk.mount(), '/d/a');
      expect(content.length).toBeLessThanOrEqual(8192);
      // One letter for each sector of 512 bytes; a sector is never half written.
      const sectors = content.match(/[^]{512}/g) ?? [];
      for (const sector of sectors) expect(new Set(sector).size).toBe(1);
      outcomes.add(sectors.map((sector) => sector.charAt(0).replace('\0', '0')).join(''));
    }
    expect(outcomes).toContain('');
    expect(outcomes).toContain('aaaaaaaabbbbbbbb');
    expect(outcomes).toContain('00000000bbbbbbbb');
    expect(outcomes).toContain('aaaaaaaa');
    expect(outcomes).toContain('0'.repeat(16));
    expect(outcomes.size).toBeGreaterThan(20);
  });

  test('in prefix mode leaves the writes up to some point, in order', async () => {
    const lengths = new Set<number>();
    for (let seed = 0; seed < 200; seed++) {
      const { disk, file } = await diskWith('');
      for (let index = 0; index < 4; index++) {
        await file.write([Buffer.alloc(1024, 'x')], index * 1024);
      }
      disk.crash(new SeededRandom(seed), 'prefix');
      const content = await contentOf(disk.mount(), '/d/a');
      expect(content).toBe('x'.repeat(content.length));
      lengths.add(content.length);
    }
    expect(lengths).toEqual(new Set([0, 512, 1024, 1536, 2048, 2560, 3072, 3584, 4096]));
  });

  test('in drop mode leaves exactly what was synced and in keep mode all', async () => {
    for (const [mode, expected] of [
      ['drop', 'durable'],
      ['keep', 'dur'],
    ] as const) {
      const { disk, file } = await diskWith('durable');
      await file.truncate(3);
      disk.crash(random, mode);
      expect(await contentOf(disk.mount(), '/d/a')).toBe(expected);
    }
  });

  test('loses a created file whose directory was not synced, even if the file was', async () => {
    const { disk, fs } = await diskWith('');
    const file = await fs.open('/d/new', 'create');
    await file.write([Buffer.from('x')], 0);
    await file.sync();
    disk.crash(random, 'drop');
    expect(await disk.mount().list('/d')).toEqual(['a']);
  });

  test('undoes a rename or a remove at random until the directory is synced', async () => {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 60; seed++) {
      const { disk, fs } = await diskWith('old');
      const file = await fs.open('/d/tmp', 'create');
      await file.write([Buffer.from('new')], 0);
      await file.sync();
      await fs.rename('/d/tmp', '/d/a');
      disk.crash(new SeededRandom(seed));
      outcomes.add(
        `${await contentOf(disk.mount(), '/d/a')} ${String(await disk.mount().list('/d'))}`,
      );
    }
    expect(outcomes).toEqual(new Set(['old a', 'old a,tmp', 'new a']));
    const { disk, fs } = await diskWith('old');
    await fs.remove('/d/a');
    await fs.syncDirectory('/d');
    disk.crash(random, 'drop');
    expect(await disk.mount().list('/d')).toEqual([]);
  });

  test('a rename between directories is durable once both are synced', async () => {
    const { disk, fs } = await diskWith('text');
    await fs.makeDirectory('/e');
    await fs.syncDirectory('/');
    await fs.rename('/d/a', '/e/a');
    await fs.syncDirectory('/e');
    disk.crash(random, 'drop');
    expect(await disk.mount().list('/d')).toEqual(['a']);
    const again = disk.mount();
    await again.rename('/d/a', '/e/a');
    await again.syncDirectory('/e');
    await again.syncDirectory('/d');
    disk.crash(random, 'drop');
    expect(await disk.mount().list('/d')).toEqual([]);
    expect(await contentOf(disk.mount(), '/e/a')).toBe('text');
  });

  test('ends every handle, mount and lock of the dead process', async () => {
    const { disk, fs, file } = await diskWith('text');
    expect(await fs.lock('/d/lock')).toBeDefined();
    disk.crash(random);
    expect(await errnoOf(file.read(Buffer.alloc(1), 0))).toBe('EBADF');
    expect(await errnoOf(fs.list('/d'))).toBe('EBADF');
    expect(await disk.mount().lock('/d/lock')).toBeDefined();
  });

  test('a sync covers what was written before it began and not what came meanwhile', async () => {
    const time = new VirtualTime();
    const disk = new MemoryDisk();
    const fs = disk.mount(time.clockFor('1'));
    const file = await fs.open('/a', 'create');
    await fs.syncDirectory('/');
    await file.write([Buffer.from('before')], 0);
    disk.latency = ({ kind }) => (kind === 'sync' ? 10 : 0);
    const synced = file.sync();
    await file.write([Buffer.from('after')], 6);
    await time.complete(synced, 100);
    disk.crash(random, 'drop');
    expect(await contentOf(disk.mount(), '/a')).toBe('before');
  });

  test('a write in flight may be found done', async () => {
    const time = new VirtualTime();
    const { disk } = await diskWith('');
    const fs = disk.mount(time.clockFor('1'));
    disk.latency = ({ kind }) => (kind === 'write' ? 10 : 0);
    const file = await fs.open('/d/a', 'write');
    void file.write([Buffer.from('text')], 0);
    await time.settle();
    disk.crash(random, 'keep');
    expect(await contentOf(disk.mount(), '/d/a')).toBe('text');
  });

  test('the same seed leaves the same image', async () => {
    const images = [1, 1].map(async (seed) => {
      const { disk, fs, file } = await diskWith('x'.repeat(10_000));
      for (let index = 0; index < 20; index++) {
        await file.write([Buffer.alloc(1000, index)], index * 700);
        await put(fs, `/d/${index}`, String(index));
      }
      disk.crash(new SeededRandom(seed));
      return [await contentOf(disk.mount(), '/d/a'), await disk.mount().list('/d')];
    });
    expect(await images[0]).toEqual(await images[1]);
  });
});

describe('a killed process', () => {
  test('leaves everything that was written', async () => {
    const { disk, fs, file } = await diskWith('durable');
    await file.write([Buffer.from('unsynced')], 7);
    await put(fs, '/d/new', 'new');
    disk.killProcess();
    expect(await errnoOf(file.size())).toBe('EBADF');
    expect(await contentOf(disk.mount(), '/d/a')).toBe('durableunsynced');
    expect(await contentOf(disk.mount(), '/d/new')).toBe('new');
  });
});
