/** A disk that has no room for segments while the journal, whose files exist already, goes on. */
import { expect, test } from 'vitest';
import { offset } from '../../../proto/model/offset.ts';
import { allOf, failWith, onOperation, onPath } from '../../../proto/ports/memory/disk-faults.ts';
import { SeededRandom } from '../../../proto/ports/memory/seeded-random.ts';
import { batch } from './batches.ts';
import { LogWorld } from './log-world.ts';

const logCount = 24;
const onSegmentWrite = allOf(onOperation('write'), onPath(/\.log$/));

/** Logs that are all open and busy, so that the journal stores what they take. */
async function crowded(): Promise<LogWorld> {
  const world = new LogWorld();
  world.limits = { reserveBytes: 0 };
  await world.start();
  for (let partition = 0; partition < logCount; partition++) await world.create(partition);
  for (let round = 0; round < 2; round++) {
    appendToAll(world, round, 100);
    await world.settle();
  }
  expect(world.usesJournal).toBe(true);
  return world;
}

function appendToAll(world: LogWorld, baseOffset: number, payload: number): void {
  for (let partition = 0; partition < logCount; partition++) {
    world.log(partition).append([batch({ baseOffset, payload })]);
  }
}

test('what the journal stored waits for room in its segment, and nothing more is taken meanwhile', async () => {
  const world = await crowded();
  const full = world.disk.faults.add(onSegmentWrite, failWith('ENOSPC'));
  const unknown = world.disk.faults.add(onOperation('free-bytes'), failWith('EIO'));
  appendToAll(world, 2, 100);
  await world.settle(1);
  expect(world.log(0).storedEnd).toBe(3);
  const flushed = world.log(0).flush();
  await world.settle(5_000);
  expect(full.hitCount).toBeGreaterThan(1);
  expect(world.fatal).toBeUndefined();
  expect(world.log(0).logEndOffset).toBe(3);
  expect(world.log(0).append([batch({ baseOffset: 3, payload: 100 })])).toEqual({
    kind: 'refused',
    code: 'DISK_FULL',
  });

  full.remove();
  unknown.remove();
  await world.run(flushed);
  await world.settle(1_000);
  // The disk is asked when somebody wants room, who does not wait for its answer.
  world.log(0).append([batch({ baseOffset: 3, payload: 100 })]);
  await world.settle(1_000);
  expect(world.log(0).append([batch({ baseOffset: 3, payload: 100 })])).toMatchObject({
    kind: 'accepted',
  });
  await world.settle();
  world.powerLoss(new SeededRandom(1), 'drop');
  await world.start();
  expect(world.log(0).logEndOffset).toBe(4);
});

test('what a full disk refused does not come back from the journal over what was stored later', async () => {
  const world = await crowded();
  const log = world.log(0);
  await world.run(log.flush());
  const isJournalSync = allOf(onOperation('sync'), onPath(/\.journal$/));
  const journal = world.disk.faults.add(isJournalSync, { kind: 'hang' });
  const full = world.disk.faults.add(onSegmentWrite, failWith('ENOSPC'));
  appendToAll(world, 2, 100);
  await world.settle(1);
  // The journal's round is under way when the log has to write, for which there is no room.
  const flushed = log.flush();
  await world.settle();
  expect(full.hitCount).toBe(1);
  expect(log.logEndOffset).toBe(2);
  full.remove();
  journal.remove();
  await world.run(flushed);
  await world.settle(5_000);
  expect(world.fatal).toBeUndefined();

  // So long alone that the journal is out of use, and the log is flushed where it is.
  for (let at = 3; at < 30; at++) {
    world.log(1).append([batch({ baseOffset: at, payload: 100 })]);
    await world.settle();
  }
  const later = batch({ baseOffset: 2, payload: 100, fill: 0x7a });
  expect(log.append([later]).kind).toBe('accepted');
  await world.settle();
  expect(log.storedEnd).toBe(3);
  world.powerLoss(new SeededRandom(1), 'drop');
  await world.start();
  const read = world.log(0).read({ from: offset(2), maxBytes: 1e6, upTo: offset(3) });
  expect((await world.run(Promise.resolve(read))).buffers).toEqual([later]);
});

test('a start that has no room for what the journal keeps says so, and succeeds once there is', async () => {
  const world = await crowded();
  appendToAll(world, 2, 100);
  await world.settle(5);
  world.powerLoss(new SeededRandom(1), 'drop');
  const full = world.disk.faults.add(onSegmentWrite, failWith('ENOSPC'));
  await expect(world.start()).rejects.toMatchObject({
    code: 'DISK_FULL',
    facts: { path: '/data' },
  });
  world.kill();
  full.remove();
  await world.start();
  expect(world.log(0).logEndOffset).toBe(3);
});
