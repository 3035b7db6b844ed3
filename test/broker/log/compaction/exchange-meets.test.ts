/** What an exchange of segments may meet: reads that are under way, and cuts that came before it. */
import { expect, test } from 'vitest';
import { IoPace } from '../../../../broker/log/io-pace.ts';
import { defaultLogConfig } from '../../../../broker/log/log-config.ts';
import type { LogRead } from '../../../../broker/log/log-reader.ts';
import { offset } from '../../../../proto/model/offset.ts';
import { keyOf, LogWorld } from '../log-world.ts';
import { decodeBatches, keyedBatch } from './keyed-batches.ts';

async function ofOneKey(batches: number): Promise<LogWorld> {
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
  for (let at = 0; at < batches; at++) {
    log.append([keyedBatch({ baseOffset: at }, [{ key: 'k', value: `v${at}` }])]);
    await world.settle();
  }
  log.setHighWatermark(log.logEndOffset);
  return world;
}

function read(world: LogWorld, from: number): Promise<LogRead> {
  const log = world.log();
  return Promise.resolve(log.read({ from: offset(from), maxBytes: 1, upTo: log.logEndOffset }));
}

test('a read that outlives an exchange leaves no place of the file that is gone', async () => {
  const world = await ofOneKey(20);
  let reads = 0;
  const hanging = world.disk.faults.add(
    ({ kind, path }) => kind === 'read' && path.endsWith('.log') && reads++ === 0,
    { kind: 'hang' },
  );
  const early = read(world, 0);
  await world.settle();
  expect(hanging.hitCount).toBe(1);

  const pace = new IoPace(world.clock, 1e9);
  const report = await world.run(
    world.directory.compact(keyOf(0), { pace, mapBytesMax: 1024 * 1024, mayDropMarks: true }),
  );
  expect(report?.recordsDropped).toBeGreaterThan(0);
  await world.run(read(world, 0));
  hanging.remove();
  await world.run(early);

  for (let from = 0; from < 20; from++) {
    const found = await world.run(read(world, from));
    const [batch] = decodeBatches(Buffer.concat(found.buffers));
    expect(batch?.baseOffset).toBeLessThanOrEqual(from);
    expect(batch?.lastOffset).toBeGreaterThanOrEqual(from);
  }
});

test('a pass does not put its file in the place of equal segments that came after a cut', async () => {
  const world = await ofOneKey(20);
  const log = world.log();
  const hanging = world.disk.faults.add(
    ({ kind, path }) => kind === 'sync' && path.endsWith('.cleaned'),
    { kind: 'hang' },
  );
  const pace = new IoPace(world.clock, 1e9);
  const compacting = world.directory.compact(keyOf(0), {
    pace,
    mapBytesMax: 1024 * 1024,
    mayDropMarks: true,
  });
  await world.settle(100);
  expect(hanging.hitCount).toBe(1);

  await world.run(log.resetTo(offset(0)));
  for (let at = 0; at < 20; at++) {
    log.append([keyedBatch({ baseOffset: at }, [{ key: 'w', value: `v${at}` }])]);
    await world.settle();
  }
  hanging.remove();
  expect((await world.run(compacting))?.kind).toBe('changed');
  const found = await world.run(read(world, 0));
  const [batch] = decodeBatches(Buffer.concat(found.buffers));
  expect(batch?.records[0]).toMatchObject({ offset: 0, key: 'w', value: 'v0' });
});
