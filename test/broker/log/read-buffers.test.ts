/**
 * Goal: memory of reads is used again, and never while anybody may refer to it. Method: the pool by
 * itself, and a log on a memory disk whose readers give back, keep, or are cut short.
 */
import { describe, expect, test } from 'vitest';
import type { LogRead } from '../../../broker/log/log-reader.ts';
import { ReadBuffers } from '../../../broker/log/read-buffers.ts';
import { type Offset, offset } from '../../../proto/model/offset.ts';
import { batch } from './batches.ts';
import { LogWorld } from './log-world.ts';

const size = 64 * 1024;

describe('the pool', () => {
  test('lends what was given back, of the same size, the last one first', () => {
    const pool = new ReadBuffers(1e6);
    const first = pool.lend(1000);
    const second = pool.lend(size);
    expect(first.bytes).toHaveLength(1000);
    expect(second.bytes.buffer).not.toBe(first.bytes.buffer);
    second.giveBack();
    first.giveBack();
    expect(pool.freeBytes).toBe(2 * size);
    expect(pool.lend(2 * size).bytes.buffer).not.toBe(first.bytes.buffer);
    expect(pool.lend(5).bytes.buffer).toBe(first.bytes.buffer);
    expect(pool.lend(5).bytes.buffer).toBe(second.bytes.buffer);
    expect(pool.freeBytes).toBe(0);
  });

  test('takes a piece back once, so that it is never lent to two', () => {
    const pool = new ReadBuffers(1e6);
    const piece = pool.lend(10);
    piece.giveBack();
    piece.giveBack();
    expect(pool.lend(10).bytes.buffer).toBe(piece.bytes.buffer);
    piece.giveBack();
    expect(pool.lend(10).bytes.buffer).not.toBe(piece.bytes.buffer);
  });

  test('keeps no more than its bound, and nothing of very large pieces', () => {
    const pool = new ReadBuffers(3 * size);
    const pieces = Array.from({ length: 5 }, () => pool.lend(size));
    const large = pool.lend(100 * size);
    expect(large.bytes).toHaveLength(100 * size);
    for (const piece of [large, ...pieces]) piece.giveBack();
    expect(pool.freeBytes).toBe(3 * size);
  });
});

async function manyBatches(count: number, payload: number): Promise<LogWorld> {
  const world = new LogWorld();
  world.limits = { reserveBytes: 0, tailCacheBytes: 0, readBuffersBytesMax: 8 * 1024 * 1024 };
  await world.start();
  const log = await world.create();
  for (let at = 0; at < count; at++) {
    log.append([batch({ baseOffset: at, payload, fill: at & 0xff })]);
    await world.settle();
  }
  return world;
}

function read(world: LogWorld, from: number, maxBytes: number): Promise<LogRead> {
  const log = world.log();
  return Promise.resolve(log.read({ from: offset(from), maxBytes, upTo: log.logEndOffset }));
}

/** All payload bytes of the read are those of the batches that it should hold. */
function expectBatches(found: LogRead, from: number): void {
  const bytes = Buffer.concat(found.buffers);
  const each = bytes.length / (found.endOffset - from);
  for (let at = from; at < found.endOffset; at++) {
    const end = (at - from + 1) * each;
    expect(bytes.subarray(end - 20, end)).toEqual(Buffer.alloc(20, at & 0xff));
  }
}

describe('reads from the files', () => {
  test('leave alone what an earlier reader has not given back', async () => {
    const world = await manyBatches(40, 3000);
    const kept: LogRead[] = [];
    for (let from = 0; from < 40; from += 4) kept.push(await world.run(read(world, from, 13_000)));
    for (const [at, found] of kept.entries()) expectBatches(found, 4 * at);
    const memory = new Set(kept.map((found) => found.buffers[0]?.buffer));
    expect(memory.size).toBe(10);
  });

  test('go into memory that was given back, and only into that', async () => {
    const world = await manyBatches(40, 3000);
    const kept = await world.run(read(world, 0, 13_000));
    const memory = new Set<unknown>();
    for (let from: Offset = offset(4); from < 40; ) {
      const found = await world.run(read(world, from, 13_000));
      expectBatches(found, from);
      memory.add(found.buffers[0]?.buffer);
      from = found.endOffset;
      found.giveBack();
    }
    expect(memory.size).toBe(1);
    expect(memory.has(kept.buffers[0]?.buffer)).toBe(false);
    expectBatches(kept, 0);
  });

  test('under way at the same time never share memory', async () => {
    const world = await manyBatches(40, 3000);
    (await world.run(read(world, 0, 13_000))).giveBack();
    const reading = Promise.all([0, 10, 20, 30].map((from) => read(world, from, 13_000)));
    const found = await world.run(reading);
    for (const [at, one] of found.entries()) expectBatches(one, 10 * at);
  });

  test('are whole at every size', async () => {
    const world = await manyBatches(30, 100_000);
    for (const maxBytes of [1, 262_144, 262_145, 600_000, 1_048_576, 2_500_000]) {
      for (let from: Offset = offset(0); from < 30; ) {
        const found = await world.run(read(world, from, maxBytes));
        expect(found.bytes).toBeGreaterThan(0);
        expect(found.endOffset).toBeLessThanOrEqual(30);
        expectBatches(found, from);
        from = found.endOffset;
        found.giveBack();
      }
    }
  });

  test('that fail leave the next one alone', async () => {
    const world = await manyBatches(30, 100_000);
    let reads = 0;
    const failing = world.disk.faults.add(({ kind }) => kind === 'read' && reads++ === 0, {
      kind: 'fail',
      errno: 'EIO',
    });
    await expect(world.run(read(world, 0, 1_048_576))).rejects.toMatchObject({ errno: 'EIO' });
    expect(failing.hitCount).toBe(1);
    failing.remove();
    const found = await world.run(read(world, 0, 1_048_576));
    expectBatches(found, 0);
  });
});

test('batches at the tail are not given back: they belong to the log', async () => {
  const world = new LogWorld();
  await world.start();
  const log = await world.create();
  const bytes = batch({ baseOffset: 0, payload: size });
  log.append([bytes]);
  const found = log.read({ from: offset(0), maxBytes: 1e6, upTo: log.logEndOffset });
  if (found instanceof Promise) throw new Error('the tail has it');
  expect(found.buffers[0]).toBe(bytes);
  found.giveBack();
  const again = log.read({ from: offset(0), maxBytes: 1e6, upTo: log.logEndOffset });
  if (again instanceof Promise) throw new Error('the tail has it');
  expect(again.buffers[0]).toBe(bytes);
});
