/**
 * Goal: compaction keeps the newest record of every key, never more than it may drop, at the offsets
 * that the records had, whatever the memory, and idempotence survives it. Method: a node's storage on
 * a memory disk; what is left is read back and decoded.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import type { CompactionReport } from '../../../../broker/log/compaction/log-compactor.ts';
import { IoPace } from '../../../../broker/log/io-pace.ts';
import { defaultLogConfig, type LogConfig } from '../../../../broker/log/log-config.ts';
import type { PartitionLog } from '../../../../broker/log/partition-log.ts';
import { offset } from '../../../../proto/model/offset.ts';
import { gzipCodec } from '../../../../proto/wire/compression/gzip.ts';
import { keyOf, LogWorld } from '../log-world.ts';
import { decodeBatches, type FoundBatch, type KeyedRecord, keyedBatch } from './keyed-batches.ts';

const compacted: LogConfig = {
  ...defaultLogConfig,
  segmentBytes: 400,
  retentionMs: -1,
  compaction: { dirtyRatioMin: 0, lagMsMin: 0, deleteRetentionMs: 1000 },
};

let world: LogWorld;
let log: PartitionLog;

beforeEach(async () => {
  world = new LogWorld();
  world.config = compacted;
  world.limits = { reserveBytes: 0, tailCacheBytes: 0 };
  await world.start();
  log = await world.create();
});

async function put(
  records: readonly KeyedRecord[],
  seal: Parameters<typeof keyedBatch>[0]['seal'] = {},
): Promise<void> {
  log.append([keyedBatch({ baseOffset: log.logEndOffset, seal }, records)]);
  await world.settle();
}

/** So many batches of one record each, over keys that come again and again. */
async function putMany(count: number, keys: number): Promise<void> {
  for (let at = 0; at < count; at++) await put([{ key: `k${at % keys}`, value: `v${at}` }]);
}

async function compact(
  wish: { mapBytesMax?: number; mayDropMarks?: boolean } = {},
): Promise<CompactionReport | undefined> {
  log.setHighWatermark(log.logEndOffset);
  const pace = new IoPace(world.clock, 1e9);
  const { mapBytesMax = 1024 * 1024, mayDropMarks = true } = wish;
  return world.run(world.directory.compact(keyOf(0), { pace, mapBytesMax, mayDropMarks }));
}

async function readAll(): Promise<FoundBatch[]> {
  const found: FoundBatch[] = [];
  for (let from = log.logStartOffset; from < log.logEndOffset; ) {
    const request = { from, maxBytes: 1000, upTo: log.logEndOffset };
    const read = await world.run(Promise.resolve(log.read(request)));
    expect(read.endOffset).toBeGreaterThan(from);
    for (const buffer of read.buffers) found.push(...decodeBatches(buffer));
    from = read.endOffset;
  }
  return found;
}

/** What a reader that starts at the beginning ends with. */
function tableOf(batches: readonly FoundBatch[]): Record<string, string | null> {
  const table: Record<string, string | null> = {};
  for (const { key, value } of batches.flatMap((batch) => batch.records)) {
    if (key !== null) table[key] = value;
  }
  return table;
}

function expectUnbroken(batches: readonly FoundBatch[]): void {
  let next: number = log.logStartOffset;
  for (const batch of batches) {
    expect(batch.baseOffset).toBe(next);
    next = batch.lastOffset + 1;
    for (const record of batch.records) {
      expect(record.offset).toBeGreaterThanOrEqual(batch.baseOffset);
      expect(record.offset).toBeLessThanOrEqual(batch.lastOffset);
    }
  }
  expect(next).toBe(log.logEndOffset);
}

describe('what stays', () => {
  test('the newest record of each key, at its offset, and the log has no gap', async () => {
    await putMany(40, 4);
    const before = await readAll();
    const report = await compact();
    const after = await readAll();
    expect(report?.kind).toBe('done');
    expect(report?.recordsDropped).toBeGreaterThan(20);
    expectUnbroken(after);
    expect(tableOf(after)).toEqual(tableOf(before));
    const offsets = new Map(before.flatMap((one) => one.records).map((one) => [one.offset, one]));
    for (const record of after.flatMap((one) => one.records)) {
      expect(record).toEqual(offsets.get(record.offset));
    }
    expect(log.bytes).toBeLessThan(40 * 80);
  });

  test('nothing at or above the watermark, and nothing of the active segment, goes', async () => {
    await putMany(20, 1);
    log.setHighWatermark(offset(7));
    const pace = new IoPace(world.clock, 1e9);
    const request = { pace, mapBytesMax: 1e6, mayDropMarks: true };
    await world.run(world.directory.compact(keyOf(0), request));
    const kept = (await readAll()).flatMap((one) => one.records.map((record) => record.offset));
    expect(kept).toEqual(expect.arrayContaining([7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]));
    expect(kept).not.toContain(0);
  });

  test('records without a key stay', async () => {
    for (let at = 0; at < 12; at++)
      await put([
        { key: null, value: `n${at}` },
        { key: 'k', value: `v${at}` },
      ]);
    await compact();
    const records = (await readAll()).flatMap((one) => one.records);
    expect(records.filter((record) => record.key === null)).toHaveLength(12);
    expect(records.filter((record) => record.key === 'k').length).toBeLessThan(6);
  });

  test('records of a compressed batch, one by one', async () => {
    const seal = { codec: gzipCodec };
    const records = Array.from({ length: 8 }, (_, at) => ({
      key: `k${at}`,
      value: 'long enough to be worth its compression '.repeat(4),
    }));
    await put(records, seal);
    await put(records.slice(0, 6), seal);
    await putMany(12, 1);
    await compact();
    const [first] = await readAll();
    expect(first?.records.map((record) => record.key)).toEqual(['k6', 'k7']);
    expect(first?.lastOffset).toBe(7);
  });

  test('records younger than the minimum lag', async () => {
    world.config = {
      ...compacted,
      compaction: { dirtyRatioMin: 0, lagMsMin: 60_000, deleteRetentionMs: 0 },
    };
    log.configure(world.config);
    const timestamp = world.clock.wall();
    for (let at = 0; at < 12; at++) await put([{ key: 'k', value: `v${at}`, timestamp }]);
    await compact();
    expect((await readAll()).flatMap((one) => one.records)).toHaveLength(12);
    await world.settle(70_000);
    await compact();
    expect((await readAll()).flatMap((one) => one.records).length).toBeLessThan(6);
  });

  test('what came after the last pass, until enough of it is dirty', async () => {
    world.config = {
      ...compacted,
      compaction: { dirtyRatioMin: 0.5, lagMsMin: 0, deleteRetentionMs: 0 },
    };
    log.configure(world.config);
    await putMany(40, 40);
    expect((await compact())?.kind).toBe('done');
    await putMany(10, 10);
    expect((await compact())?.kind ?? 'nothing-due').toBe('nothing-due');
    await putMany(60, 10);
    expect((await compact())?.kind).toBe('done');
  });
});

describe('marks of deleted keys', () => {
  async function deleteOne(): Promise<void> {
    await put([{ key: 'gone', value: 'was here', timestamp: 5 }]);
    await put([{ key: 'gone', value: null, timestamp: 6 }]);
    await putMany(12, 2);
    await compact();
  }

  const marks = (batches: readonly FoundBatch[]): readonly unknown[] =>
    batches.flatMap((one) => one.records).filter((record) => record.value === null);

  test('stay for their time with their timestamp, and then go', async () => {
    await deleteOne();
    expect(marks(await readAll())).toEqual([{ offset: 1, key: 'gone', value: null, timestamp: 6 }]);
    await world.settle(500);
    await compact();
    expect(marks(await readAll())).toHaveLength(1);
    await world.settle(600);
    expect((await compact())?.kind).toBe('done');
    const after = await readAll();
    expect(marks(after)).toHaveLength(0);
    expect(tableOf(after)['gone']).toBeUndefined();
    expectUnbroken(after);
  });

  test('stay while a replica may not have them', async () => {
    await deleteOne();
    await world.settle(5000);
    await compact({ mayDropMarks: false });
    expect(marks(await readAll())).toHaveLength(1);
  });
});

describe('idempotence', () => {
  test('every remembered batch is known after a replay of the compacted log', async () => {
    for (let at = 0; at < 9; at++) {
      const seal = { producerId: 7, producerEpoch: 0, baseSequence: at };
      await put([{ key: 'same', value: `v${at}` }], seal);
    }
    await putMany(12, 1);
    await compact();
    const left = (await readAll()).filter((batch) => batch.producerId === 7);
    expect(left.map((batch) => batch.baseOffset)).toEqual([4, 5, 6, 7, 8]);
    world.kill();
    await world.start();
    log = world.log();
    for (let at = 4; at < 9; at++) {
      const verdict = log.checkSequence({
        producerId: 7,
        producerEpoch: 0,
        baseSequence: at,
        lastOffsetDelta: 0,
        baseOffset: 0,
        maxTimestamp: 1,
      });
      expect(verdict).toMatchObject({ kind: 'duplicate', batch: { baseOffset: at } });
    }
  });
});

describe('memory and time', () => {
  test('keys that do not fit the memory are done in several passes', async () => {
    const keys = 120;
    for (let at = 0; at < 30; at++) {
      const records = Array.from({ length: 12 }, (_, index) => ({
        key: `k${(at * 12 + index) % keys}`,
        value: `v${at}`,
      }));
      await put(records);
    }
    const before = tableOf(await readAll());
    const report = await compact({ mapBytesMax: 64 * 24 });
    expect(report?.passes).toBeGreaterThan(3);
    const after = await readAll();
    expectUnbroken(after);
    expect(tableOf(after)).toEqual(before);
    const perKey = after.flatMap((one) => one.records).length / keys;
    expect(perKey).toBeLessThan(1.3);
  });

  test('neighbouring segments that became small become one', async () => {
    await putMany(60, 2);
    await compact();
    await putMany(30, 2);
    await compact();
    const names = await world.run(world.files());
    // Uncompacted it would be thirty; those that were full before the last pass stand alone until the next.
    expect(names.filter((name) => name.endsWith('.log')).length).toBeLessThan(13);
    expect(names.filter((name) => !name.endsWith('.log'))).toEqual([]);
    expectUnbroken(await readAll());
  });

  test('a pass that is stopped ends at once and leaves a whole log', async () => {
    await putMany(60, 2);
    log.setHighWatermark(log.logEndOffset);
    const pace = new IoPace(world.clock, 1000);
    const running = world.directory.compact(keyOf(0), {
      pace,
      mapBytesMax: 1e6,
      mayDropMarks: true,
    });
    await world.settle(50);
    pace.stop();
    expect((await world.run(running))?.kind).toBe('stopped');
    expectUnbroken(await readAll());
    expect((await compact())?.kind).toBe('done');
    expectUnbroken(await readAll());
  });
});
