/** A reader whose records are deleted between its decision and its read is told so. */
import { expect, test } from 'vitest';
import { offset } from '../../../proto/model/offset.ts';
import { LogWorld } from './log-world.ts';

test('a read of a segment that is deleted meanwhile is out of range, and no fault of the disk', async () => {
  const world = new LogWorld();
  world.config = { ...world.config, segmentBytes: 1000 };
  world.limits = { reserveBytes: 0, tailCacheBytes: 0 };
  await world.start();
  const log = await world.create();
  await world.appendSingly(log, 6, 600);
  await world.stop();
  await world.start();
  const again = world.log();
  await world.run(again.findTimestamp(Number.MAX_SAFE_INTEGER));
  const hanging = world.disk.faults.add(
    ({ kind, path }) => kind === 'open' && path.endsWith('00000000.log'),
    { kind: 'hang' },
  );
  const request = { from: offset(0), maxBytes: 1, upTo: again.logEndOffset };
  const reading = Promise.resolve(again.read(request));
  const answer = expect(reading).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' });
  await world.settle();
  expect(hanging.hitCount).toBe(1);
  again.setHighWatermark(again.logEndOffset);
  const deleting = again.deleteRecords(offset(3));
  await world.settle();
  hanging.remove();
  await world.run(deleting);
  await world.settle();
  await answer;
  expect(world.fatal).toBeUndefined();
});
