/**
 * Goal: what was compacted stays so when the log is cut, deleted from its beginning or begun anew: no
 * deleted key comes back, and the next pass looks at what is there. Method: as for compaction itself.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import type { CompactionReport } from '../../../../broker/log/compaction/log-compactor.ts';
import { IoPace } from '../../../../broker/log/io-pace.ts';
import { defaultLogConfig } from '../../../../broker/log/log-config.ts';
import type { PartitionLog } from '../../../../broker/log/partition-log.ts';
import { offset } from '../../../../proto/model/offset.ts';
import { keyOf, LogWorld } from '../log-world.ts';
import { readWhole } from '../walk-world.ts';
import { decodeBatches, type FoundRecord, type KeyedRecord, keyedBatch } from './keyed-batches.ts';

let world: LogWorld;
let log: PartitionLog;

async function begin(dirtyRatioMin: number, deleteRetentionMs: number): Promise<void> {
  world = new LogWorld();
  world.config = {
    ...defaultLogConfig,
    segmentBytes: 400,
    retentionMs: -1,
    compaction: { dirtyRatioMin, lagMsMin: 0, deleteRetentionMs },
  };
  world.limits = { reserveBytes: 0, tailCacheBytes: 0 };
  await world.start();
  log = await world.create();
}

async function put(record: KeyedRecord): Promise<void> {
  log.append([keyedBatch({ baseOffset: log.logEndOffset }, [record])]);
  await world.settle();
}

async function putMany(count: number, keys: number): Promise<void> {
  for (let at = 0; at < count; at++) await put({ key: `k${at % keys}`, value: `v${at}` });
}

function compact(): Promise<CompactionReport | undefined> {
  log.setHighWatermark(log.logEndOffset);
  const pace = new IoPace(world.clock, 1e9);
  const request = { pace, mapBytesMax: 1024 * 1024, mayDropMarks: true };
  return world.run(world.directory.compact(keyOf(0), request));
}

async function recordsOf(key: string): Promise<FoundRecord[]> {
  const batches = decodeBatches(await readWhole(world, log));
  return batches.flatMap((batch) => batch.records).filter((record) => record.key === key);
}

describe('what counts as dirty', () => {
  beforeEach(() => begin(0.5, 0));

  test('is what is left, when clean segments at the beginning were deleted', async () => {
    await putMany(40, 40);
    expect((await compact())?.kind).toBe('done');
    await world.run(log.deleteRecords(log.logEndOffset));
    await putMany(40, 4);
    expect((await compact())?.kind).toBe('done');
    expect((await recordsOf('k3')).length).toBeLessThan(5);
  });

  test('is all of a log that begins anew', async () => {
    await putMany(40, 40);
    expect((await compact())?.kind).toBe('done');
    await world.run(log.resetTo(log.logEndOffset));
    await putMany(40, 4);
    expect((await compact())?.kind).toBe('done');
  });
});

describe('a deleted key', () => {
  beforeEach(() => begin(0, 1000));

  async function deleteOne(): Promise<void> {
    await put({ key: 'gone', value: 'was here' });
    await put({ key: 'gone', value: null });
    await putMany(12, 2);
    await compact();
    await world.settle(1100);
    await compact();
  }

  test('does not come back when the log is cut behind what was compacted', async () => {
    await deleteOne();
    expect(await recordsOf('gone')).toEqual([]);
    const end = log.logEndOffset;
    await putMany(3, 2);
    await world.run(log.truncateTo(end, { keepAside: false }));
    await world.stop();
    await world.start();
    log = world.log();
    await putMany(12, 2);
    await compact();
    expect(await recordsOf('gone')).toEqual([]);
  });

  test('goes with all its records in a log that begins anew', async () => {
    await putMany(20, 2);
    await compact();
    // A copy of a leader that has compacted less: the key is there again, and so is its mark.
    await world.run(log.resetTo(offset(0)));
    await deleteOne();
    for (let pass = 0; pass < 2; pass++) {
      await putMany(12, 2);
      await compact();
    }
    expect(await recordsOf('gone')).toEqual([]);
  });
});
