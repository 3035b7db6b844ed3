/** Goal: who reads on finds the next piece read, and never one that is void. Method: a log on a memory disk. */
import { expect, test } from 'vitest';
import type { LogRead } from '../../../broker/log/log-reader.ts';
import { offset } from '../../../proto/model/offset.ts';
import { allOf, failWith, onOperation, onPath } from '../../../proto/ports/memory/disk-faults.ts';
import { batch } from './batches.ts';
import { LogWorld } from './log-world.ts';

const payload = 128 * 1024;
/** Two batches. */
const maxBytes = 2.5 * payload;

function batchAt(baseOffset: number, fill = baseOffset): Buffer {
  return batch({ baseOffset, payload, fill });
}

/** A log of so many batches, none of them in memory. */
async function logOf(count: number): Promise<LogWorld> {
  const world = new LogWorld();
  world.limits = { reserveBytes: 0, tailCacheBytes: 0, checkpointMs: 100_000 };
  await world.start();
  const log = await world.create();
  for (let at = 0; at < count; at++) log.append([batchAt(at)]);
  await world.settle(100);
  return world;
}

async function read(world: LogWorld, from: number): Promise<LogRead> {
  const log = world.log();
  const found = log.read({ from: offset(from), maxBytes, upTo: log.logEndOffset });
  const done = await world.run(Promise.resolve(found));
  await world.settle();
  return done;
}

function bytesOf({ buffers }: LogRead): Buffer {
  return Buffer.concat(buffers);
}

test('the piece behind a sequential read is read before it is asked for', async () => {
  const world = await logOf(12);
  for (const from of [0, 2]) (await read(world, from)).giveBack();
  const reads = world.disk.countOf('read');
  const found = await read(world, 4);
  expect(bytesOf(found).equals(Buffer.concat([batchAt(4), batchAt(5)]))).toBe(true);
  // One read, and it is of what comes behind.
  expect(world.disk.countOf('read')).toBe(reads + 1);
  world.disk.faults.add(onOperation('read'), failWith('EIO'));
  expect(bytesOf(await read(world, 6)).equals(Buffer.concat([batchAt(6), batchAt(7)]))).toBe(true);
});

test('a piece that could not be read ahead is read when it is asked for', async () => {
  const world = await logOf(12);
  (await read(world, 0)).giveBack();
  // The second read succeeds; what follows it by itself fails.
  let reads = 0;
  const failing = world.disk.faults.add(
    allOf(onOperation('read'), onPath(/\.log$/), () => ++reads > 1),
    failWith('EIO'),
  );
  (await read(world, 2)).giveBack();
  expect(failing.hitCount).toBe(1);
  failing.remove();
  expect(bytesOf(await read(world, 4)).equals(Buffer.concat([batchAt(4), batchAt(5)]))).toBe(true);
});

test('what was read ahead of a cut is not served behind it', async () => {
  const world = await logOf(12);
  for (const from of [0, 2]) (await read(world, from)).giveBack();
  await world.run(world.log().truncateTo(offset(5), { keepAside: false }));
  for (let at = 5; at < 8; at++) world.log().append([batchAt(at, 0x77)]);
  await world.settle(100);
  expect(bytesOf(await read(world, 4)).equals(Buffer.concat([batchAt(4), batchAt(5, 0x77)]))).toBe(
    true,
  );
});

test('a bad batch that was read ahead is damage to whoever asks for it, as any other', async () => {
  const world = await logOf(12);
  const [name] = await world.files();
  const fs = world.disk.mount(world.time.clockFor('hand'));
  const file = await world.run(fs.open(`/data/logs/${world.log().key.topicId}-0/${name}`, 'write'));
  await world.run(file.write([Buffer.from([1])], 5 * batchAt(0).length - 10));
  await world.run(file.close());
  for (const from of [0, 2]) (await read(world, from)).giveBack();
  await expect(read(world, 4)).rejects.toMatchObject({ code: 'DAMAGED_LOG' });
});
