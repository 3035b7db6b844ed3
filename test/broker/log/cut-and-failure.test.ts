/** Cuts, deletions and failures of the disk that meet in one log. */
import { expect, test } from 'vitest';
import { logName } from '../../../broker/log/log-key.ts';
import { logTables } from '../../../broker/log/log-store.ts';
import { HighwaterError } from '../../../proto/model/errors.ts';
import { offset } from '../../../proto/model/offset.ts';
import {
  allOf,
  failWith,
  nth,
  onOperation,
  onPath,
  slowBy,
} from '../../../proto/ports/memory/disk-faults.ts';
import { batch } from './batches.ts';
import { keyOf, LogWorld } from './log-world.ts';

const segmentFiles = onPath(/\.log$/);

test('a write that fails for want of room just before a cut does not undo the cut', async () => {
  const world = new LogWorld();
  world.limits = { reserveBytes: 0 };
  await world.start();
  const log = await world.create();
  log.append([0, 1, 2, 3].map((baseOffset) => batch({ baseOffset, payload: 100 })));
  await world.settle();
  expect(log.storedEnd).toBe(4);
  const full = world.disk.faults.add(allOf(onOperation('write'), segmentFiles), failWith('ENOSPC'));
  log.append([batch({ baseOffset: 4, payload: 100 })]);
  await world.run(log.truncateTo(offset(2), { keepAside: false }));
  full.remove();
  await world.settle(5_000);
  expect(world.fatal).toBeUndefined();
  expect(log.logEndOffset).toBe(2);
  expect(log.storedEnd).toBe(2);
});

for (const [name, work] of [
  ['deleting records', (world: LogWorld) => world.log().deleteRecords(offset(2))],
  ['a cut', (world: LogWorld) => world.log().truncateTo(offset(3), { keepAside: false })],
  ['a flush', (world: LogWorld) => world.log().flush()],
] as const) {
  test(`a flush that fails in ${name} is fatal and is never tried again`, async () => {
    const world = new LogWorld();
    world.limits = { reserveBytes: 0 };
    world.config = { ...world.config, flush: 'os' };
    await world.start();
    const log = await world.create();
    log.append([0, 1, 2, 3].map((baseOffset) => batch({ baseOffset, payload: 100 })));
    await world.settle();
    log.setHighWatermark(offset(3));
    const before = world.disk.countOf('sync');
    world.disk.faults.add(allOf(onOperation('sync'), segmentFiles, nth(1)), failWith('EIO'));
    await expect(world.run(work(world) as Promise<unknown>)).rejects.toMatchObject({
      errno: 'EIO',
    });
    await world.settle(20_000);
    expect(world.fatal).toMatchObject({ errno: 'EIO' });
    expect(world.disk.countOf('sync')).toBe(before + 1);
  });
}

test('what a damaged log could not write does not keep the tails of others in memory', async () => {
  const world = new LogWorld();
  world.limits = { reserveBytes: 0, tailCacheBytes: 10_000 };
  await world.start();
  const damaged = await world.create(0);
  await world.create(1);
  damaged.append([batch({ baseOffset: 0, payload: 100 })]);
  await world.settle();
  const [name] = await world.files(0);
  await world.stop();
  const fs = world.disk.mount(world.time.clockFor('hand'));
  const path = `/data/logs/${damaged.key.topicId}-0/${name}`;
  const file = await world.run(fs.open(path, 'write'));
  await world.run(file.truncate(10));
  await world.run(file.close());
  await world.start();
  const failures: string[] = [];
  world.log(0).listen({ onProgress() {}, onFailure: ({ code }) => failures.push(code) });
  expect(world.log(0).append([batch({ baseOffset: 1, payload: 100 })]).kind).toBe('accepted');
  await world.settle(1_000);
  expect(failures).toEqual(['DAMAGED_LOG']);

  const log = world.log(1);
  for (let at = 0; at < 100; at++) log.append([batch({ baseOffset: at, payload: 1_000 })]);
  await world.settle(1_000);
  expect(log.storedEnd).toBe(100);
  const reads = world.disk.countOf('read');
  await world.run(Promise.resolve(log.read({ from: offset(0), maxBytes: 1, upTo: offset(1) })));
  expect(world.disk.countOf('read')).toBeGreaterThan(reads);
});

test('a log at rest whose record went bad is found again in its files, and is suspect', async () => {
  const world = new LogWorld();
  await world.start();
  const log = await world.create();
  log.append([0, 1, 2].map((baseOffset) => batch({ baseOffset, payload: 100 })));
  await world.settle();
  await world.stop();
  const opener = world.stores.mount(world.time.clockFor('hand'));
  const options = { durability: 'synced', tables: logTables } as const;
  const meta = await world.run(opener.open('/data/meta', options));
  const [entry] = meta.range('log-record', {});
  if (entry === undefined) throw new Error('there is a record');
  const value = Buffer.from(entry.value).fill(0xff, 20, 30);
  await world.run(meta.commit([{ table: 'log-record', key: entry.key, value }]));
  await world.run(meta.close());

  await world.start();
  expect(world.log().logEndOffset).toBe(3);
  expect(world.log().damage).toMatchObject({ at: 3 });
  expect(world.directory.damaged()).toHaveLength(1);
});

test('a log that is let go while it is being opened for a reader is not opened twice', async () => {
  const world = new LogWorld();
  world.limits = { reserveBytes: 0, checkpointMs: 100 };
  await world.start();
  const log = await world.create();
  log.append([batch({ baseOffset: 0, payload: 100 })]);
  await world.settle();
  await world.stop();
  await world.start();
  const folder = new RegExp(`${log.key.topicId}-0$`);
  world.disk.faults.add(allOf(onOperation('list'), onPath(folder), nth(1)), slowBy(500));
  const read = world.log().read({ from: offset(0), maxBytes: 10, upTo: offset(1) });
  await world.settle(200);
  world.log().append([batch({ baseOffset: 1, payload: 100 })]);
  await world.settle(1_000);
  expect((await world.run(Promise.resolve(read))).endOffset).toBe(1);
  expect(world.log().storedEnd).toBe(2);
  world.kill();
  await world.start();
  const last = world.log().read({ from: offset(1), maxBytes: 10, upTo: offset(2) });
  expect((await world.run(Promise.resolve(last))).endOffset).toBe(2);
});

test('a log that was removed is not opened again by whoever still holds it', async () => {
  const world = new LogWorld();
  await world.start();
  const old = await world.create();
  old.append([0, 1].map((baseOffset) => batch({ baseOffset, payload: 100 })));
  await world.settle();
  old.setHighWatermark(offset(2));
  const stored = world.log();
  const leaving = world.directory.delete([keyOf(0)]);
  expect(world.directory.get(keyOf(0))).toBeUndefined();
  await world.run(leaving);
  const again = await world.create();
  again.append([0, 1, 2].map((baseOffset) => batch({ baseOffset, payload: 200 })));
  await world.settle();
  const request = { from: offset(0), maxBytes: 10, upTo: offset(1) };
  const late = Promise.resolve().then(() => stored.read(request));
  await expect(world.run(late)).rejects.toBeInstanceOf(HighwaterError);
  await world.stop();
  await world.start();
  expect(world.log().logEndOffset).toBe(3);
  const whole = world.log().read({ from: offset(0), maxBytes: 10_000, upTo: offset(3) });
  expect((await world.run(Promise.resolve(whole))).endOffset).toBe(3);
});

test('logs that are deleted together are gone with all their files, and the next keeps its own', async () => {
  const world = new LogWorld();
  await world.start();
  for (const partition of [0, 1, 2]) {
    const log = await world.create(partition);
    log.append([batch({ baseOffset: 0, payload: 100 })]);
    await world.run(log.flush());
  }
  await world.run(world.directory.delete([keyOf(0), keyOf(2)]));
  world.kill();
  await world.start();
  expect([...world.directory.keys()]).toEqual([keyOf(1)]);
  expect(world.log(1).logEndOffset).toBe(1);
  const logs = await world.run(world.disk.mount(world.clock).list('/data/logs'));
  expect(logs).toEqual([logName(keyOf(1))]);
});

test('a log that lost its first and its last file does not begin where the rest does', async () => {
  const world = new LogWorld();
  world.config = { ...world.config, segmentBytes: 300 };
  await world.start();
  const log = await world.create();
  await world.appendSingly(log, 6, 200);
  await world.run(log.flush());
  world.kill();
  const names = await world.files();
  expect(names).toHaveLength(6);
  const fs = world.disk.mount(world.time.clockFor('hand'));
  for (const name of [names[0], names[5]]) {
    await world.run(fs.remove(`/data/logs/${log.key.topicId}-0/${name}`));
  }
  await world.start();
  expect(world.log()).toMatchObject({ logStartOffset: 0, logEndOffset: 0, damage: { at: 0 } });
  expect(world.directory.recovered[0]?.keptPaths).toHaveLength(4);
});
