import { describe, expect, test } from 'vitest';
import { writeAll } from '../../../../proto/ports/file-system.ts';
import {
  allOf,
  failWith,
  hang,
  nth,
  onOperation,
  onPath,
  shortTo,
  skip,
  slowBy,
} from '../../../../proto/ports/memory/disk-faults.ts';
import { SeededRandom } from '../../../../proto/ports/memory/seeded-random.ts';
import { VirtualTime } from '../../../../proto/ports/memory/virtual-time.ts';
import { contentOf, errnoOf, put } from '../file-system.conformance.ts';
import { diskWith } from './disk-with.ts';

const random = new SeededRandom(3);

describe('disk faults', () => {
  test('hit the operations that their predicates choose, and end when removed', async () => {
    const { disk, fs, file } = await diskWith('text');
    const rule = disk.faults.add(
      allOf(onOperation('write'), onPath(/\/a$/), nth(2)),
      failWith('EIO'),
    );
    await put(fs, '/d/b', 'other paths do not count');
    expect(await file.write([Buffer.from('1')], 0)).toBe(1);
    expect(await errnoOf(file.write([Buffer.from('2')], 0))).toBe('EIO');
    expect(await file.write([Buffer.from('3')], 0)).toBe(1);
    expect(rule.hitCount).toBe(1);
    expect(await contentOf(fs, '/d/a')).toBe('3ext');
    const full = disk.faults.add(onOperation('open'), failWith('EMFILE'));
    expect(await errnoOf(fs.open('/d/a', 'read'))).toBe('EMFILE');
    full.remove();
    expect(await contentOf(fs, '/d/a')).toBe('3ext');
  });

  test('a short write resolves without an error, and writeAll goes on after it', async () => {
    const { disk, fs, file } = await diskWith('');
    disk.faults.add(onOperation('write'), shortTo(3));
    expect(await file.write([Buffer.from('ab'), Buffer.from('cdef')], 0)).toBe(3);
    await writeAll(file, [Buffer.from('0123'), Buffer.from('456789')], 0);
    disk.faults.clear();
    expect(await contentOf(fs, '/d/a')).toBe('0123456789');
  });

  test('slow operations take virtual time, hung ones wait for the fault to end', async () => {
    const time = new VirtualTime();
    const { disk } = await diskWith('text');
    const clock = time.clockFor('1');
    const fs = disk.mount(clock);
    const file = await fs.open('/d/a', 'write');
    disk.faults.add(allOf(onOperation('sync'), nth(1)), slowBy(250));
    await time.complete(file.sync(), 1000);
    expect(time.now()).toBe(250);
    const hung = disk.faults.add(onOperation('sync'), hang);
    let isSynced = false;
    void file.sync().then(() => {
      isSynced = true;
    });
    await time.advance(60_000);
    expect(isSynced).toBe(false);
    hung.remove();
    await time.settle();
    expect(isSynced).toBe(true);
  });

  test('after a failed sync the bytes stay visible and no later sync makes them durable', async () => {
    const { disk, fs, file } = await diskWith('durable');
    await file.write([Buffer.from('LOST!!!')], 0);
    disk.faults.add(allOf(onOperation('sync'), nth(1)), failWith('EIO'));
    expect(await errnoOf(file.sync())).toBe('EIO');
    expect(await contentOf(fs, '/d/a')).toBe('LOST!!!');
    await file.sync();
    await file.write([Buffer.from(' and more')], 7);
    await file.sync();
    disk.crash(random, 'drop');
    expect(await contentOf(disk.mount(), '/d/a')).toBe('durable and more');
  });

  test('a disk that lies says synced and is not', async () => {
    const { disk, file } = await diskWith('durable');
    disk.faults.add(onOperation('sync', 'sync-directory'), skip);
    await file.write([Buffer.from('LOST!!!')], 0);
    await file.sync();
    disk.crash(random, 'drop');
    expect(await contentOf(disk.mount(), '/d/a')).toBe('durable');
  });

  test('a full disk cuts the write short and then says ENOSPC, until space is freed', async () => {
    const { disk, fs, file } = await diskWith('0123');
    await put(fs, '/d/other', '456789');
    disk.capacityBytes = 15;
    expect(await fs.freeBytes('/d')).toBe(5);
    expect(await file.write([Buffer.from('abcdefgh')], 4)).toBe(5);
    expect(await errnoOf(file.write([Buffer.from('f')], 9))).toBe('ENOSPC');
    expect(await file.write([Buffer.from('in place')], 0)).toBe(8);
    expect(await errnoOf(file.truncate(100))).toBe('ENOSPC');
    await fs.remove('/d/other');
    expect(await fs.freeBytes('/d')).toBe(6);
    await file.truncate(1);
    expect(await fs.freeBytes('/d')).toBe(14);
    disk.crash(random, 'drop');
    expect(await disk.mount().freeBytes('/d')).toBe(11);
  });

  test('operations are counted', async () => {
    const { disk, file } = await diskWith('');
    const before = disk.countOf('sync');
    await file.sync();
    expect(disk.countOf('sync')).toBe(before + 1);
  });
});
