import { describe, expect, test } from 'vitest';
import type { PartitionLog } from '../../../broker/log/partition-log.ts';
import { leaderEpoch, offset } from '../../../proto/model/offset.ts';
import { SeededRandom } from '../../../proto/ports/memory/seeded-random.ts';
import { batch } from './batches.ts';
import { LogWorld } from './log-world.ts';

async function started(): Promise<{ world: LogWorld; log: PartitionLog }> {
  const world = new LogWorld();
  await world.start();
  return { world, log: await world.create() };
}

async function readAll(world: LogWorld, log: PartitionLog): Promise<Buffer> {
  const parts: Buffer[] = [];
  let from = log.logStartOffset;
  while (from < log.logEndOffset) {
    const read = await world.run(
      Promise.resolve(log.read({ from, maxBytes: 1_000_000, upTo: log.logEndOffset })),
    );
    parts.push(...read.buffers);
    expect(read.endOffset).toBeGreaterThan(from);
    from = read.endOffset;
  }
  return Buffer.concat(parts);
}

describe('a partition log', () => {
  test('accepts at once and stores behind it', async () => {
    const { world, log } = await started();
    const first = batch({ baseOffset: 0, count: 3 });
    expect(log.append([first])).toEqual({ kind: 'accepted', logEndOffset: 3 });
    expect(log.storedEnd).toBe(0);
    await world.settle();
    expect(log.storedEnd).toBe(3);
  });

  test('returns the very buffers that were appended to a reader at the tail', async () => {
    const { log } = await started();
    const first = batch({ baseOffset: 0 });
    log.append([first]);
    const read = log.read({ from: offset(0), maxBytes: 1000, upTo: offset(1) });
    expect(read).toMatchObject({ endOffset: 1 });
    if (read instanceof Promise) throw new Error('a tail read is synchronous');
    expect(read.buffers[0]).toBe(first);
  });

  test('takes records of an older epoch where it led and wrote nothing, and restarts so', async () => {
    const { world, log } = await started();
    log.append([batch({ baseOffset: 0, epoch: 4 })]);
    await world.settle();
    await world.run(log.beginEpoch(leaderEpoch(5)));
    log.append([batch({ baseOffset: 1, epoch: 4 }), batch({ baseOffset: 2, epoch: 6 })]);
    await world.settle();
    const epochs = [
      { epoch: 4, startOffset: 0 },
      { epoch: 6, startOffset: 2 },
    ];
    expect(log.epochs).toEqual(epochs);
    world.powerLoss(new SeededRandom(1), 'drop');
    await world.start();
    expect(world.log().epochs).toEqual(epochs);
  });

  test('has all of it after a clean stop, read from the files', async () => {
    const { world, log } = await started();
    const batches = Array.from({ length: 50 }, (_, at) => batch({ baseOffset: at * 2, count: 2 }));
    log.append(batches);
    await world.stop();
    await world.start();
    expect(world.directory.recovered).toEqual([]);
    const again = world.log();
    expect(again.logEndOffset).toBe(100);
    expect(await readAll(world, again)).toEqual(Buffer.concat(batches));
  });

  test('has everything stored after a power loss', async () => {
    const { world, log } = await started();
    const batches = Array.from({ length: 50 }, (_, at) => batch({ baseOffset: at }));
    log.append(batches);
    await world.settle();
    expect(log.storedEnd).toBe(50);
    world.powerLoss(new SeededRandom(1), 'drop');
    await world.start();
    expect(world.directory.recovered).toMatchObject([{ verdict: 'whole', logEndOffset: 50 }]);
    expect(await readAll(world, world.log())).toEqual(Buffer.concat(batches));
  });

  test('says how many bytes hold a range of offsets, across segments and restarts', async () => {
    const world = new LogWorld();
    world.config = { ...world.config, segmentBytes: 30_000 };
    await world.start();
    const log = await world.create();
    const batches = Array.from({ length: 200 }, (_, at) =>
      batch({ baseOffset: at * 2, count: 2, payload: 500 + at }),
    );
    for (const one of batches) log.append([one]);
    await world.settle();
    const bytesOf = (from: number, to: number): number =>
      batches.slice(from, to).reduce((sum, one) => sum + one.length, 0);
    for (const [from, to, wanted] of [
      [0, 400, bytesOf(0, 200)],
      [0, 0, 0],
      [7, 8, bytesOf(3, 4)],
      [7, 9, bytesOf(3, 5)],
      [120, 390, bytesOf(60, 195)],
      [398, 500, bytesOf(199, 200)],
    ] as const)
      expect(await world.run(log.bytesBetween(offset(from), offset(to)))).toBe(wanted);
    await world.stop();
    await world.start();
    const again = world.log().bytesBetween(offset(100), offset(300));
    expect(await world.run(again)).toBe(bytesOf(50, 150));
  });

  test('truncates to a batch boundary and goes on from there', async () => {
    const { world, log } = await started();
    for (let at = 0; at < 10; at += 2) log.append([batch({ baseOffset: at, count: 2, epoch: at })]);
    await world.settle();
    expect(await world.run(log.truncateTo(offset(5), { keepAside: false }))).toBe(4);
    expect(log.logEndOffset).toBe(4);
    expect(log.storedEnd).toBe(4);
    expect(log.latestEpoch).toBe(2);
    expect(log.epochs.map(({ epoch }) => epoch)).toEqual([0, 2]);
    log.append([batch({ baseOffset: 4, epoch: 9 })]);
    await world.stop();
    await world.start();
    expect(world.log().logEndOffset).toBe(5);
    expect(world.log().latestEpoch).toBe(9);
  });

  test('knows its producers after a crash', async () => {
    const { world, log } = await started();
    const sent = { producerId: 7, producerEpoch: 0 };
    log.append([
      batch({ baseOffset: 0, count: 2, ...sent, baseSequence: 0 }),
      batch({ baseOffset: 2, count: 2, ...sent, baseSequence: 2 }),
    ]);
    await world.settle();
    world.kill();
    await world.start();
    const retry = { ...sent, baseSequence: 2, lastOffsetDelta: 1, baseOffset: 0, maxTimestamp: 1 };
    expect(world.log().checkSequence(retry)).toMatchObject({
      kind: 'duplicate',
      batch: { baseOffset: 2 },
    });
  });
});
