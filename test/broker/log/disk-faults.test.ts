/** What a log does when the disk says no: rules B5.1 to B5.4 and B5.9, by injection. */
import { describe, expect, test } from 'vitest';
import type { LogFailure, PartitionLog } from '../../../broker/log/partition-log.ts';
import { HighwaterError } from '../../../proto/model/errors.ts';
import { offset } from '../../../proto/model/offset.ts';
import { flipBit } from '../../../proto/ports/memory/disk-damage.ts';
import { allOf, nth, onOperation, onPath } from '../../../proto/ports/memory/disk-faults.ts';
import { batch } from './batches.ts';
import { LogWorld } from './log-world.ts';

interface Started {
  readonly world: LogWorld;
  readonly log: PartitionLog;
  readonly failures: LogFailure[];
}

async function started(): Promise<Started> {
  const world = new LogWorld();
  world.limits = { reserveBytes: 0 };
  await world.start();
  const log = await world.create();
  const failures: LogFailure[] = [];
  log.listen({ onProgress() {}, onFailure: (failure) => failures.push(failure) });
  log.append([batch({ baseOffset: 0, count: 5, payload: 500 })]);
  await world.settle();
  expect(log.storedEnd).toBe(5);
  return { world, log, failures };
}

const segmentFiles = onPath(/\.log$/);

async function contentOf(world: LogWorld): Promise<Buffer> {
  const log = world.log();
  const parts: Buffer[] = [];
  for (let from = log.logStartOffset; from < log.logEndOffset; ) {
    const request = { from, maxBytes: 100_000, upTo: log.logEndOffset };
    const read = await world.run(Promise.resolve(log.read(request)));
    parts.push(...read.buffers);
    from = read.endOffset;
  }
  return Buffer.concat(parts);
}

describe('a disk that fails', () => {
  test('a short write is finished, not lost', async () => {
    const { world, log } = await started();
    const fault = world.disk.faults.add(allOf(onOperation('write'), segmentFiles), {
      kind: 'short',
      bytes: 100,
    });
    const second = batch({ baseOffset: 5, count: 2, payload: 900, fill: 7 });
    log.append([second]);
    await world.settle();
    expect(log.storedEnd).toBe(7);
    expect(fault.hitCount).toBeGreaterThan(5);
    fault.remove();
    world.kill();
    await world.start();
    expect((await contentOf(world)).subarray(-second.length).equals(second)).toBe(true);
  });

  test('a full disk cuts the partial write back, tells it, and service resumes with space', async () => {
    const { world, log, failures } = await started();
    const before = await contentOf(world);
    world.disk.capacityBytes = world.disk.usedBytes + 300;
    const lost = [batch({ baseOffset: 5, payload: 900 }), batch({ baseOffset: 6, payload: 900 })];
    const result = log.append(lost);
    expect(result.kind).toBe('accepted');
    await world.settle();
    expect(failures).toMatchObject([{ code: 'DISK_FULL', logEndOffset: 5 }]);
    expect(log.logEndOffset).toBe(5);
    expect(log.storedEnd).toBe(5);
    expect(await contentOf(world)).toEqual(before);
    expect(log.append([batch({ baseOffset: 5, payload: 900 })])).toMatchObject({
      kind: 'refused',
      code: 'DISK_FULL',
    });

    world.disk.capacityBytes = 2 ** 40;
    await world.settle(1_100);
    log.append([]);
    await world.settle();
    expect(log.append([batch({ baseOffset: 5, payload: 10 })]).kind).toBe('accepted');
    await world.settle();
    expect(log.storedEnd).toBe(6);
    expect(world.fatal).toBeUndefined();
  });

  test('appends are refused before the reserve is touched, and nothing of them is written', async () => {
    const world = new LogWorld();
    world.limits = { reserveBytes: 10_000 };
    world.disk.capacityBytes = 20_000;
    await world.start();
    const log = await world.create();
    expect(log.append([batch({ baseOffset: 0, payload: 11_000 })])).toMatchObject({
      code: 'DISK_FULL',
    });
    expect(log.logEndOffset).toBe(0);
    expect(log.append([batch({ baseOffset: 0, payload: 5_000 })]).kind).toBe('accepted');
  });

  test('a failed fdatasync is fatal and is never tried again', async () => {
    const { world, log } = await started();
    const syncs = world.disk.countOf('sync');
    world.disk.faults.add(allOf(onOperation('sync'), nth(1)), { kind: 'fail', errno: 'EIO' });
    log.append([batch({ baseOffset: 5 })]);
    await world.settle(20_000);
    expect(world.fatal).toMatchObject({ errno: 'EIO' });
    expect(log.storedEnd).toBe(5);
    expect(world.disk.countOf('sync')).toBe(syncs + 1);
    expect(log.append([batch({ baseOffset: 6 })])).toMatchObject({ code: 'STORAGE_ERROR' });
  });

  test('a stop after a storage error leaves no clean mark', async () => {
    const { world, log } = await started();
    world.disk.faults.add(allOf(onOperation('write'), segmentFiles), {
      kind: 'fail',
      errno: 'EIO',
    });
    log.append([batch({ baseOffset: 5 })]);
    await world.settle();
    expect(world.fatal).toMatchObject({ errno: 'EIO' });
    await world.stop();
    await world.start();
    expect(world.directory.recovered).toMatchObject([{ logEndOffset: 5 }]);
  });

  test('a failed commit of the record is fatal', async () => {
    const { world, log } = await started();
    world.stores.faults.add(onOperation('commit'), { kind: 'fail', errno: 'EIO' });
    await expect(world.run(log.deleteRecords(offset(0)))).resolves.toBe(0);
    log.setHighWatermark(offset(5));
    await expect(world.run(log.deleteRecords(offset(2)))).rejects.toBeInstanceOf(HighwaterError);
    expect(world.fatal).toBeDefined();
  });

  test('a disk that hangs is told after one bound and fatal after two', async () => {
    const { world, log } = await started();
    const rule = world.disk.faults.add(onOperation('sync'), { kind: 'hang' });
    log.append([batch({ baseOffset: 5 })]);
    await world.settle(13_000);
    expect(world.stalledMs).toBeGreaterThanOrEqual(10_000);
    expect(world.fatal).toBeUndefined();
    await world.settle(10_000);
    expect(world.fatal).toMatchObject({ code: 'STORAGE_ERROR' });
    rule.remove();
  });

  test('a flipped bit is answered with DAMAGED_LOG and its batch is never handed out', async () => {
    const { world, log } = await started();
    log.append([batch({ baseOffset: 5, payload: 300 })]);
    await world.stop();
    const path = `/data/logs/${log.key.topicId}-0/00000000000000000000.log`;
    flipBit(world.disk, path, 8 * 300);
    await world.start();
    const damaged = { from: offset(0), maxBytes: 100, upTo: offset(6) };
    await expect(world.run(Promise.resolve(world.log().read(damaged)))).rejects.toMatchObject({
      code: 'DAMAGED_LOG',
    });
    const sound = { from: offset(5), maxBytes: 100, upTo: offset(6) };
    expect((await world.run(Promise.resolve(world.log().read(sound)))).endOffset).toBe(6);
  });

  test('damage above the recovery point is kept aside and reported, a torn tail is just cut', async () => {
    const { world, log } = await started();
    log.append([batch({ baseOffset: 5, payload: 300 }), batch({ baseOffset: 6, payload: 300 })]);
    await world.settle();
    const path = `/data/logs/${log.key.topicId}-0/00000000000000000000.log`;
    world.kill();
    flipBit(world.disk, path, 8 * 300);
    await world.start();
    expect(world.directory.recovered).toMatchObject([
      { verdict: 'damaged', logEndOffset: 0, reason: 'the checksum differs' },
    ]);
    expect(world.directory.recovered[0]?.keptPaths).toHaveLength(1);
    expect(world.log().damage).toMatchObject({ at: 0 });
    await world.stop();
    await world.start();
    expect(world.log().damage).toMatchObject({ at: 0 });
    await world.run(world.log().clearDamage());
    expect(world.log().damage).toBeUndefined();
  });
});
