/** Sequential reads of what is on disk: the next piece is fetched ahead, and never believed blindly. */
import { describe, expect, test } from 'vitest';
import { HandlePool } from '../../../broker/log/handle-pool.ts';
import type { LogRead } from '../../../broker/log/log-reader.ts';
import { ReadAhead } from '../../../broker/log/read-ahead.ts';
import { offset } from '../../../proto/model/offset.ts';
import { flipBit } from '../../../proto/ports/memory/disk-damage.ts';
import { batch } from './batches.ts';
import { keyOf, LogWorld } from './log-world.ts';

const batchCount = 12;
const batchBytes = batch({ baseOffset: 0, payload: 1000 }).length;

/** A log of twelve equal batches in segments of five, none of them in memory. */
async function onDisk(): Promise<{ readonly world: LogWorld; readonly reads: number[] }> {
  const world = new LogWorld();
  world.config = { ...world.config, segmentBytes: 5 * batchBytes };
  world.limits = { reserveBytes: 0, readAheadBytesMax: 4 * batchBytes, tailCacheBytes: 0 };
  await world.start();
  const log = await world.create();
  for (let at = 0; at < batchCount; at++) {
    log.append([batch({ baseOffset: at, payload: 1000, fill: at })]);
    await world.settle();
  }
  await world.stop();
  await world.start();
  await world.run(world.log().findTimestamp(Number.MAX_SAFE_INTEGER));
  const reads: number[] = [];
  world.disk.faults.add(
    ({ kind, path, bytes }) => {
      if (kind === 'read' && path.endsWith('.log')) reads.push(bytes);
      return false;
    },
    { kind: 'skip' },
  );
  return { world, reads };
}

function read(world: LogWorld, from: number): Promise<LogRead> {
  const log = world.log();
  const request = { from: offset(from), maxBytes: batchBytes, upTo: log.logEndOffset };
  return world.run(Promise.resolve(log.read(request)));
}

function expectBatch(found: LogRead, at: number, fill = at): void {
  const expected = batch({ baseOffset: at, payload: 1000, fill });
  expect(Buffer.concat(found.buffers).equals(expected)).toBe(true);
}

describe('reading ahead', () => {
  test('a reader in sequence finds every batch, across segments, and each is read from the disk once', async () => {
    const { world, reads } = await onDisk();
    for (let at = 0; at < batchCount; at++) {
      expectBatch(await read(world, at), at);
      await world.settle();
      // From the second read on the next piece is there before it is asked for.
      if (at > 0 && at < batchCount - 1) expect(reads.length).toBe(at + 2);
    }
    expect(reads.length).toBe(batchCount);
  });

  test('a reader that jumps makes nothing be read ahead', async () => {
    const { world, reads } = await onDisk();
    for (const at of [7, 3, 9, 1]) expectBatch(await read(world, at), at);
    await world.settle();
    expect(reads.length).toBe(4);
  });

  test('what was read ahead before a cut is not served after it', async () => {
    const { world } = await onDisk();
    const log = world.log();
    for (const at of [5, 6]) expectBatch(await read(world, at), at);
    await world.settle();
    await world.run(log.truncateTo(offset(7), { keepAside: false }));
    const another = batch({ baseOffset: 7, payload: 1000, fill: 99, epoch: 1 });
    log.append([another, batch({ baseOffset: 8, payload: 1000, fill: 98, epoch: 1 })]);
    await world.settle();
    // From a remembered place, which is where a piece of before would be looked for.
    expectBatch(await read(world, 6), 6);
    const found = await read(world, 7);
    expect(Buffer.concat(found.buffers).equals(another)).toBe(true);
  });

  test('bytes that went bad on the way ahead are read again, and bad ones in the file are told', async () => {
    const { world } = await onDisk();
    const path = `/data/logs/${keyOf(0).topicId}-0/00000000000000000000.log`;
    const bit = 8 * (2 * batchBytes + 500);
    flipBit(world.disk, path, bit);
    for (const at of [0, 1]) expectBatch(await read(world, at), at);
    await world.settle();
    flipBit(world.disk, path, bit);
    expectBatch(await read(world, 2), 2);

    await world.settle();
    const next = 8 * (3 * batchBytes + 500);
    flipBit(world.disk, path, next);
    // The piece that was fetched before is still sound.
    expectBatch(await read(world, 3), 3);
    await expect(read(world, 3)).rejects.toMatchObject({ code: 'DAMAGED_LOG' });
  });

  test('a failed read ahead is only told to the reader who needs the bytes', async () => {
    const { world } = await onDisk();
    await read(world, 0);
    const fault = world.disk.faults.add(
      ({ kind, path }) => kind === 'read' && path.endsWith('.log'),
      {
        kind: 'fail',
        errno: 'EIO',
      },
    );
    await expect(read(world, 1)).rejects.toThrow('EIO');
    fault.remove();
    expectBatch(await read(world, 1), 1);
    await world.settle();
    expectBatch(await read(world, 2), 2);
  });

  test('pieces beyond the bound push out the oldest', async () => {
    const { world, reads } = await onDisk();
    const clock = world.time.clockFor('reader');
    const ahead = new ReadAhead(new HandlePool(world.disk.mount(clock), 4), 4 * batchBytes);
    const path = `/data/logs/${keyOf(0).topicId}-0/00000000000000000000.log`;
    const content = { baseOffset: offset(0), endOffset: offset(5), bytes: 5 * batchBytes };
    const segment = { kind: 'sealed', path, index: undefined, ...content } as const;
    for (let at = 0; at < 5; at++) ahead.start(segment, at * batchBytes, batchBytes);
    expect(ahead.bytes).toBe(4 * batchBytes);
    expect(ahead.take(segment, 0)).toBeUndefined();
    const piece = await world.run(Promise.resolve(ahead.take(segment, batchBytes)));
    expect(piece?.equals(batch({ baseOffset: 1, payload: 1000, fill: 1 }))).toBe(true);
    expect(ahead.bytes).toBe(3 * batchBytes);
    ahead.start(segment, 0, 5 * batchBytes);
    await world.run(ahead.close());
    expect(ahead.bytes).toBe(0);
    expect(reads.length).toBe(5);
  });
});
