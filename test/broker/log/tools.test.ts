import { describe, expect, test } from 'vitest';
import { type DumpLine, dumpLog } from '../../../broker/log/tools/log-dump.ts';
import { verifyLogs } from '../../../broker/log/tools/log-verify.ts';
import { withStoppedDirectory } from '../../../broker/log/tools/stopped-directory.ts';
import { flipBit } from '../../../proto/ports/memory/disk-damage.ts';
import { batch } from './batches.ts';
import { keyOf, LogWorld } from './log-world.ts';

/** A node that wrote 60 batches over several segments and stopped. */
async function stopped(): Promise<LogWorld> {
  const world = new LogWorld();
  world.config = { ...world.config, segmentBytes: 4000 };
  await world.start();
  const log = await world.create();
  for (let at = 0; at < 60; at++)
    log.append([batch({ baseOffset: at, payload: 200, epoch: at >> 4 })]);
  await world.settle();
  await world.stop();
  return world;
}

const path = `/data/logs/${keyOf(0).topicId}-0`;

function look<Result>(
  world: LogWorld,
  work: Parameters<typeof withStoppedDirectory<Result>>[2],
): Promise<Result> {
  const { clock } = world.time;
  const ports = { fs: world.disk.mount(clock), stores: world.stores.mount(clock), clock };
  return world.run(withStoppedDirectory(ports, '/data', work));
}

describe('the tools for a stopped directory', () => {
  test('verify finds nothing wrong with a sound log, and changes nothing', async () => {
    const world = await stopped();
    const report = await look(world, (directory) => verifyLogs(directory));
    expect(report).toMatchObject({ logs: 1, batches: 60, torn: [], faults: [] });
    await world.start();
    expect(world.directory.recovered).toEqual([]);
  });

  test('verify tells how far it is after each segment', async () => {
    const world = await stopped();
    const told: number[] = [];
    await look(world, (directory) =>
      verifyLogs(directory, undefined, ({ batches }) => told.push(batches)),
    );
    expect(told.length).toBeGreaterThan(1);
    expect(told.at(-1)).toBe(60);
    expect(told).toEqual(told.toSorted((a, b) => a - b));
  });

  test('verify names the file and the byte of a flipped bit', async () => {
    const world = await stopped();
    flipBit(world.disk, `${path}/00000000000000000000.log`, 8 * 300);
    const { faults } = await look(world, (directory) => verifyLogs(directory));
    expect(faults[0]).toMatchObject({ position: 261, reason: 'the checksum differs' });
  });

  test('a directory in use is refused', async () => {
    const world = new LogWorld();
    await world.start();
    await world.create();
    await expect(look(world, (directory) => verifyLogs(directory))).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
    });
  });

  test('dump shows the batches of a range', async () => {
    const world = await stopped();
    const lines: DumpLine[] = [];
    const request = { key: keyOf(0), from: 10, to: 13, what: 'batches' } as const;
    await look(world, (directory) => dumpLog(directory, request, (line) => lines.push(line)));
    expect(lines.map((line) => line['baseOffset'])).toEqual([10, 11, 12]);
    expect(lines[0]).toMatchObject({ records: 1, leaderEpoch: 0, bytes: 261 });
  });
});
