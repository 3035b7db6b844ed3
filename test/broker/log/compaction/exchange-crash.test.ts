/**
 * Goal: whenever a node dies while segments are exchanged, the log is the old one or the new one, never
 * a mixture. Method: the same pass, which puts several segments together, is killed after one event,
 * after two, and so on to its end; half of the times the power goes too. The log is read back whole.
 */
import { expect, test } from 'vitest';
import { IoPace } from '../../../../broker/log/io-pace.ts';
import { defaultLogConfig } from '../../../../broker/log/log-config.ts';
import { logName } from '../../../../broker/log/log-key.ts';
import { findNode } from '../../../../proto/ports/memory/directory-tree.ts';
import { SeededRandom } from '../../../../proto/ports/memory/seeded-random.ts';
import { keyOf, LogWorld } from '../log-world.ts';
import { readWhole, runEvents } from '../walk-world.ts';
import { decodeBatches, keyedBatch } from './keyed-batches.ts';

async function smallSegments(): Promise<LogWorld> {
  const world = new LogWorld();
  world.config = {
    ...defaultLogConfig,
    segmentBytes: 400,
    retentionMs: -1,
    compaction: { dirtyRatioMin: 0, lagMsMin: 0, deleteRetentionMs: 1000 },
  };
  world.limits = { reserveBytes: 0, tailCacheBytes: 0 };
  await world.start();
  const log = await world.create();
  for (let at = 0; at < 20; at++) {
    log.append([keyedBatch({ baseOffset: at }, [{ key: `k${at % 2}`, value: `v${at}` }])]);
    await world.settle(1);
    if (at !== 14) continue;
    log.setHighWatermark(log.logEndOffset);
    expect((await world.run(compact(world)))?.kind).toBe('done');
  }
  log.setHighWatermark(log.logEndOffset);
  await world.run(log.flush());
  return world;
}

function compact(world: LogWorld): ReturnType<LogWorld['directory']['compact']> {
  const pace = new IoPace(world.clock, 1e9);
  return world.directory.compact(keyOf(0), { pace, mapBytesMax: 1e5, mayDropMarks: true });
}

/** The log reads as one unbroken stretch that ends with the newest of each key. */
async function expectWhole(world: LogWorld): Promise<void> {
  const batches = decodeBatches(await readWhole(world, world.log()));
  let next = 0;
  for (const batch of batches) {
    expect(batch.baseOffset).toBe(next);
    next = batch.lastOffset + 1;
  }
  expect(next).toBe(20);
  const records = batches.flatMap((batch) => batch.records);
  expect(new Map(records.map(({ key, value }) => [key, value]))).toEqual(
    new Map([
      ['k0', 'v18'],
      ['k1', 'v19'],
    ]),
  );
  const foreign = (await world.run(world.files())).filter((name) => !name.endsWith('.log'));
  expect(foreign).toEqual([]);
}

test.each([
  ['kill', 0],
  ['drop', 0],
  ['random', 1],
  ['random', 2],
  ['random', 3],
] as const)(
  'a crash (%s %i) after any event of a pass leaves the old log or the new one',
  async (how, seed) => {
    const pass = { isOver: false };
    let hadSwap = false;
    let rounds = 0;
    for (let events = 0; !pass.isOver; events++) {
      const world = await smallSegments();
      rounds++;
      // Every operation of the disk is an event of its own.
      world.disk.latency = () => 1;
      const running = compact(world);
      running.then(
        () => {
          pass.isOver = true;
        },
        () => undefined,
      );
      await runEvents(world, events);
      const folder = findNode(world.disk.tree.root, `/data/logs/${logName(keyOf(0))}`);
      const names = folder?.kind === 'directory' ? [...folder.entries.keys()] : [];
      hadSwap ||= names.some((name) => name.endsWith('.swap'));
      if (how === 'kill') world.kill();
      else world.powerLoss(new SeededRandom(1000 * seed + events), how);
      world.disk.latency = () => 0;
      await world.start();
      expect(world.directory.recovered.every((report) => report.verdict !== 'damaged')).toBe(true);
      await expectWhole(world);
      await world.run(compact(world));
      await expectWhole(world);
    }
    expect(hadSwap).toBe(true);
    expect(rounds).toBeGreaterThan(15);
  },
);
