/** What random walks over the logs of a directory found, told one by one. */
import { expect, test } from 'vitest';
import { defaultLogConfig } from '../../../broker/log/log-config.ts';
import type { PartitionLog } from '../../../broker/log/partition-log.ts';
import { offset } from '../../../proto/model/offset.ts';
import { flipBit } from '../../../proto/ports/memory/disk-damage.ts';
import { hang, onOperation } from '../../../proto/ports/memory/disk-faults.ts';
import { writeInt64 } from '../../../proto/wire/int64.ts';
import { batch } from './batches.ts';
import { LogWorld } from './log-world.ts';

const producer = { producerId: 7, producerEpoch: 0 };

async function startedWith(segmentBytes: number): Promise<LogWorld> {
  const world = new LogWorld();
  world.limits = { reserveBytes: 0, checkpointMs: 1_000_000 };
  world.config = { ...defaultLogConfig, segmentBytes };
  await world.start();
  await world.create();
  return world;
}

function verdictOf(log: PartitionLog, baseSequence: number): string | undefined {
  return log.checkSequence({
    ...producer,
    baseSequence,
    lastOffsetDelta: 0,
    baseOffset: 0,
    maxTimestamp: 1,
  })?.kind;
}

test('a log that begins anew knows no producer of the one before', async () => {
  const world = await startedWith(10_000);
  const log = world.log();
  log.append([batch({ baseOffset: 0, ...producer, baseSequence: 0 })]);
  await world.run(log.flush());
  await world.run(log.resetTo(offset(100)));
  // Its old batch may never have been in the log that begins: a copy of it is no duplicate.
  expect(verdictOf(log, 0)).toBe('append');
  world.kill();
  await world.start();
  expect(verdictOf(world.log(), 0)).toBe('append');
});

test('a segment that a cut left wholly below the start stays until a snapshot knows its producers', async () => {
  const world = await startedWith(300);
  const log = world.log();
  const own = { payload: 100, ...producer };
  log.append([
    batch({ baseOffset: 0, ...own, baseSequence: 0 }),
    batch({ baseOffset: 1, payload: 20 }),
  ]);
  await world.settle();
  log.setHighWatermark(offset(1));
  expect(await world.run(log.deleteRecords(offset(1)))).toBe(1);
  expect(await world.run(log.truncateTo(offset(1), { keepAside: false }))).toBe(1);
  log.append([batch({ baseOffset: 1, payload: 250 })]);
  await world.settle();
  expect(await world.files()).toHaveLength(2);
  world.kill();
  await world.start();
  expect(verdictOf(world.log(), 0)).toBe('duplicate');
});

test('the flush of a checkpoint that hangs ends the node, also where no append waits for one', async () => {
  const world = await startedWith(10_000);
  world.log().configure({ ...world.config, flush: 'os' });
  world.log().append([batch({ baseOffset: 0 })]);
  await world.settle();
  const rule = world.disk.faults.add(onOperation('sync'), hang);
  world
    .log()
    .flush()
    .catch(() => undefined);
  await world.settle(25_000);
  expect(world.stalledMs).toBeGreaterThanOrEqual(10_000);
  expect(world.fatal).toMatchObject({ code: 'STORAGE_ERROR' });
  rule.remove();
});

test('a last batch that lies in a wrong place is damage, not the end of what may be read', async () => {
  const world = await startedWith(10_000);
  world.limits = { ...world.limits, tailCacheBytes: 0 };
  await world.stop();
  await world.start();
  const log = world.log();
  log.append([batch({ baseOffset: 0 })]);
  await world.run(log.flush());
  const path = `/data/logs/${log.key.topicId}-0/00000000000000000000.log`;
  const content = world.disk.file(path).content();
  writeInt64(content, 5, 0);
  world.disk.replaceContent(path, content);
  const request = { from: offset(0), maxBytes: 100, upTo: offset(1) };
  await expect(world.run(Promise.resolve(log.read(request)))).rejects.toMatchObject({
    code: 'DAMAGED_LOG',
  });
});

test('a cut removes no file that the log still counts among its segments', async () => {
  const world = await startedWith(300);
  const log = world.log();
  log.append([batch({ baseOffset: 0, payload: 100 }), batch({ baseOffset: 1, payload: 20 })]);
  await world.settle();
  log.setHighWatermark(offset(1));
  await world.run(log.deleteRecords(offset(1)));
  await world.run(log.truncateTo(offset(1), { keepAside: false }));
  for (let at = 1; at < 3; at++) {
    log.append([batch({ baseOffset: at, payload: 250 })]);
    await world.settle();
    if (at === 1) await world.run(log.flush());
  }
  world.kill();
  await world.start();
  const again = world.log();
  again.append([batch({ baseOffset: 3, payload: 250 })]);
  await world.settle();
  // From here on a snapshot knows the producers of the first file, which is wholly below the start.
  again.setHighWatermark(offset(3));
  await world.run(again.truncateTo(offset(3), { keepAside: false }));
  await world.run(again.flush());
  expect(world.fatal).toBeUndefined();
  expect(again.storedEnd).toBe(3);
});

test('damage is told by the start after one that died while it cut the bad bytes', async () => {
  // Some of these counts end between the cut of the file and the last commit.
  for (let events = 34; events < 56; events += 2) {
    const world = await startedWith(10_000);
    const log = world.log();
    log.append([batch({ baseOffset: 0, payload: 300 }), batch({ baseOffset: 1, payload: 300 })]);
    await world.settle();
    world.kill();
    flipBit(world.disk, `/data/logs/${log.key.topicId}-0/00000000000000000000.log`, 8 * 300);
    world.disk.latency = () => 1;
    await world.startAndDie(events);
    world.kill();
    await world.start();
    expect(world.log().damage).toMatchObject({ at: 0 });
  }
});
