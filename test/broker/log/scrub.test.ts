/**
 * Goal: bytes that go bad in a sealed segment are found, kept and told, and the log is at nobody's
 * mercy meanwhile. Method: a log on a memory disk with a flipped bit, and a slow pace.
 */
import { expect, test } from 'vitest';
import { IoPace } from '../../../broker/log/io-pace.ts';
import type { ScrubReport } from '../../../broker/log/scrub/log-scrubber.ts';
import { offset } from '../../../proto/model/offset.ts';
import { flipBit } from '../../../proto/ports/memory/disk-damage.ts';
import { batch } from './batches.ts';
import { keyOf, LogWorld } from './log-world.ts';

const folder = `/data/logs/${keyOf(0).topicId}-0`;

/** Ten batches of 600 bytes, two to a segment, all but the last segment sealed; committed and flushed, or only written. */
async function sealed({ isFlushed } = { isFlushed: true }): Promise<LogWorld> {
  const world = new LogWorld();
  world.config = { ...world.config, segmentBytes: 1500, retentionMs: -1 };
  world.limits = { reserveBytes: 0, tailCacheBytes: 0 };
  await world.start();
  const log = await world.create();
  await world.appendSingly(log, 10, 600);
  if (!isFlushed) return world;
  log.setHighWatermark(log.logEndOffset);
  await world.run(log.flush());
  return world;
}

function scrub(world: LogWorld, bytesPerSecond: number): Promise<ScrubReport | undefined> {
  return world.directory.scrub(keyOf(0), new IoPace(world.clock, bytesPerSecond));
}

function damage(world: LogWorld): void {
  flipBit(world.disk, `${folder}/00000000000000000002.log`, 8 * 900);
}

test('sound segments are read and nothing is told', async () => {
  const world = await sealed();
  const report = await world.run(scrub(world, 1e9));
  expect(report?.damage).toBeUndefined();
  expect(report?.bytes).toBeGreaterThan(5000);
});

test('a flipped bit is found with its place, and the bytes are kept', async () => {
  const world = await sealed();
  damage(world);
  const report = await world.run(scrub(world, 1e9));
  expect(report?.damage).toMatchObject({ at: 3, reason: 'the checksum differs' });
  const kept = report?.damage?.keptPath ?? '';
  expect(world.disk.file(kept).size).toBeGreaterThan(600);
});

test('segments are searched as soon as they are sealed, flushed or not', async () => {
  const world = await sealed({ isFlushed: false });
  expect((await world.run(scrub(world, 1e9)))?.bytes).toBeGreaterThan(5000);
  damage(world);
  expect((await world.run(scrub(world, 1e9)))?.damage).toMatchObject({ at: 3 });
});

test('a cut into a segment that is being read is no damage', async () => {
  const world = await sealed({ isFlushed: false });
  let reads = 0;
  const hanging = world.disk.faults.add(
    ({ kind, path }) => kind === 'read' && path.endsWith('02.log') && reads++ === 0,
    { kind: 'hang' },
  );
  const scrubbing = scrub(world, 1e9);
  await world.settle(100);
  expect(hanging.hitCount).toBe(1);
  await world.run(world.log().truncateTo(offset(3), { keepAside: false }));
  world.log().append([batch({ baseOffset: 3, payload: 2000 })]);
  await world.settle();
  hanging.remove();
  expect((await world.run(scrubbing))?.damage).toBeUndefined();
  expect((await world.run(scrub(world, 1e9)))?.damage).toBeUndefined();
});

test('while damage is confirmed appends are stored, and a cut does not wait for the pace', async () => {
  const world = await sealed();
  damage(world);
  const log = world.log();
  // The first look takes seconds a segment; then the second one hangs in its first read.
  const scrubbing = scrub(world, 300);
  let looks = 0;
  const hanging = world.disk.faults.add(
    ({ kind, path }) => kind === 'read' && path.endsWith('02.log') && looks++ === 1,
    { kind: 'hang' },
  );
  await world.settle(20_000);
  expect(hanging.hitCount).toBe(1);
  log.append([batch({ baseOffset: 10, payload: 600 })]);
  await world.settle(5);
  expect(log.storedEnd).toBe(11);

  let isCut = false;
  const cutting = log.truncateTo(offset(10), { keepAside: false }).then(() => {
    isCut = true;
  });
  await world.settle(5);
  expect(isCut).toBe(false);
  hanging.remove();
  await world.settle(100);
  expect(isCut).toBe(true);
  await world.run(cutting);
  expect((await world.run(scrubbing))?.damage).toMatchObject({ at: 3 });
});

test('a segment that is deleted while it is read is no damage', async () => {
  const world = await sealed();
  damage(world);
  const hanging = world.disk.faults.add(
    ({ kind, path }) => kind === 'read' && path.endsWith('02.log'),
    { kind: 'hang' },
  );
  const scrubbing = scrub(world, 1e9);
  await world.settle(100);
  expect(hanging.hitCount).toBe(1);
  await world.run(world.log().deleteRecords(offset(6)));
  hanging.remove();
  expect((await world.run(scrubbing))?.damage).toBeUndefined();
});
