import { describe, expect, test } from 'vitest';
import { DataDirectory } from '../../../broker/log/data-directory.ts';
import { clusterId, nodeId, storageId } from '../../../proto/model/ids.ts';
import { brokerEpoch, offset } from '../../../proto/model/offset.ts';
import { MemoryDisk } from '../../../proto/ports/memory/memory-disk.ts';
import { batch } from './batches.ts';
import { keyOf, LogWorld } from './log-world.ts';

const identity = {
  clusterId: clusterId('00000000-0000-4000-8000-00000000000a'),
  nodeId: nodeId(3),
  storageId: storageId('00000000-0000-4000-8000-00000000000b'),
};

describe('a data directory', () => {
  test('keeps its identity, and refuses another node and another cluster', async () => {
    const disk = new MemoryDisk();
    const first = await DataDirectory.open(disk.mount(), '/data');
    expect(first.identity).toBeUndefined();
    await first.format(identity);
    await first.release();

    const again = await DataDirectory.open(disk.mount(), '/data');
    expect(again.identity).toEqual(identity);
    expect(() => again.expect(identity.clusterId, nodeId(4))).toThrow(/belongs to node 3/);
    const other = clusterId('00000000-0000-4000-8000-00000000000c');
    expect(() => again.expect(other, identity.nodeId)).toThrow(/belongs to cluster/);
  });

  test('is held by one process at a time', async () => {
    const disk = new MemoryDisk();
    const first = await DataDirectory.open(disk.mount(), '/data');
    await expect(DataDirectory.open(disk.mount(), '/data')).rejects.toThrow(/Another process/);
    await first.release();
    await DataDirectory.open(disk.mount(), '/data');
  });

  test('says once who stopped it cleanly, and says nothing after a crash', async () => {
    const disk = new MemoryDisk();
    const first = await DataDirectory.open(disk.mount(), '/data');
    await first.markCleanStop({ brokerEpoch: brokerEpoch(7) });
    await first.release();
    const second = await DataDirectory.open(disk.mount(), '/data');
    expect(second.cleanStop).toEqual({ brokerEpoch: 7 });
    disk.killProcess();
    expect((await DataDirectory.open(disk.mount(), '/data')).cleanStop).toBeUndefined();
  });
});

describe('a log directory', () => {
  test('holds no file and no timer for logs at rest, and starts without looking at them', async () => {
    const world = new LogWorld();
    world.limits = { idleHandlesMax: 0, checkpointMs: 50 };
    await world.start();
    const keys = Array.from({ length: 300 }, (_, at) => keyOf(at));
    const logs = await world.run(world.directory.create(keys));
    for (const log of logs) log.append([batch({ baseOffset: 0 })]);
    await world.settle(10_000);
    expect(world.time.isIdle).toBe(true);
    await world.stop();

    const opens = world.disk.countOf('open');
    const stats = world.disk.countOf('stat');
    await world.start();
    expect(world.disk.countOf('open') - opens).toBeLessThan(10);
    expect(world.disk.countOf('stat') - stats).toBeLessThan(10);
    expect([...world.directory.keys()]).toHaveLength(300);
    expect(world.log(299).logEndOffset).toBe(1);
    await world.settle(10_000);
    expect(world.time.isIdle).toBe(true);
  });

  test('goes on in the segment of a log that was at rest, and after a start', async () => {
    const world = new LogWorld();
    world.limits = { checkpointMs: 50 };
    await world.start();
    await world.create();
    for (let at = 0; at < 3; at++) {
      world.log().append([batch({ baseOffset: at })]);
      await world.settle(10_000);
      expect(world.time.isIdle).toBe(true);
    }
    await world.stop();
    await world.start();
    world.log().append([batch({ baseOffset: 3 })]);
    await world.settle(10_000);
    expect(await world.run(world.files())).toHaveLength(1);
  });

  test('reports a folder that no record knows, and leaves it alone', async () => {
    const world = new LogWorld();
    await world.start();
    await world.stop();
    const stray = '00000000-0000-4000-8000-0000000000ff-3';
    const fs = world.disk.mount(world.time.clock);
    await world.run(fs.makeDirectory(`/data/logs/${stray}`));
    await world.start();
    expect(world.directory.strays).toEqual([stray]);
    const left = await world.run(world.disk.mount(world.time.clock).list('/data/logs'));
    expect(left).toEqual([stray]);
  });

  test('sets a log aside without losing a byte of it', async () => {
    const world = new LogWorld();
    await world.start();
    const log = await world.create();
    const bytes = batch({ baseOffset: 0, payload: 100 });
    log.append([bytes]);
    const path = await world.run(world.directory.quarantine(keyOf(0)));
    expect(world.directory.get(keyOf(0))).toBeUndefined();
    const content = world.disk.file(`${path}/00000000000000000000.log`);
    expect(content.size).toBe(bytes.length);
  });

  test('keeps the storage stamp over a crash', async () => {
    const world = new LogWorld();
    await world.start();
    await world.run(world.directory.renewStorageStamp(Buffer.from('stamp 7')));
    world.kill();
    await world.start();
    expect(world.directory.storageStamp?.toString()).toBe('stamp 7');
  });

  test('drops old segments below the watermark, finds timestamps, and opens nothing for nothing', async () => {
    const world = new LogWorld();
    const now = world.time.clock.wall();
    world.config = { ...world.config, segmentBytes: 1000, retentionMs: 10_000 };
    await world.start();
    const log = await world.create();
    for (let at = 0; at < 20; at++) {
      log.append([batch({ baseOffset: at, payload: 400, timestamp: now - 20_000 + at * 1000 })]);
    }
    await world.settle();
    expect(await world.run(log.findTimestamp(now - 14_500))).toMatchObject({ baseOffset: 6 });
    if (world.directory.mayExpire(keyOf(0))) await world.run(world.log().retain());
    expect(log.logStartOffset).toBe(0);
    log.setHighWatermark(offset(20));
    if (world.directory.mayExpire(keyOf(0))) await world.run(world.log().retain());
    expect(log.logStartOffset).toBe(10);
    await world.settle(60_000);
    if (world.directory.mayExpire(keyOf(0))) await world.run(world.log().retain());
    expect(log.logStartOffset).toBe(20);
    log.append([batch({ baseOffset: 20 })]);
    await world.stop();
    await world.start();
    expect(world.log()).toMatchObject({ logStartOffset: 20, logEndOffset: 21 });
  });
});
