/** Segments that vanish below a running log are found by the search, wherever they were. */
import { expect, test } from 'vitest';
import { IoPace } from '../../../broker/log/io-pace.ts';
import { keyOf, LogWorld } from './log-world.ts';

async function searched(remove: number | undefined) {
  const world = new LogWorld();
  world.config = { ...world.config, segmentBytes: 1000 };
  world.limits = { reserveBytes: 0, tailCacheBytes: 0 };
  await world.start();
  const log = await world.create();
  await world.appendSingly(log, 6, 600);
  await world.run(log.flush());
  const files = await world.files();
  expect(files.length).toBeGreaterThan(4);
  if (remove !== undefined) {
    const folder = `/data/logs/${keyOf(0).topicId}-0`;
    await world.run(world.disk.mount(world.clock).remove(`${folder}/${files[remove]}`));
  }
  const pace = new IoPace(world.clock, 1e9);
  return (await world.run(world.directory.scrub(keyOf(0), pace)))?.damage;
}

test('a log without damage is found to be whole', async () => {
  expect(await searched(undefined)).toBeUndefined();
});

test.each([
  ['the oldest segment', 0, 0],
  ['a segment in the middle', 2, 2],
])('%s that is missing is damage', async (_what, at, lostFrom) => {
  expect(await searched(at)).toMatchObject({ at: lostFrom });
});
