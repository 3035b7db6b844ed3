/** What a node has accepted from its leaders and not stored is bounded over all partitions. */
import { expect, test } from 'vitest';
import { ReplicaLog } from '../../../broker/replication/replica-log.ts';
import { hang, onOperation } from '../../../proto/ports/memory/disk-faults.ts';
import { batch } from '../log/batches.ts';
import { LogWorld } from '../log/log-world.ts';

test('the leaders of all partitions wait before one of their batches would be refused', async () => {
  const world = new LogWorld();
  world.limits = { reserveBytes: 0, unstoredBytesMax: 10_000 };
  await world.start();
  const logs = [];
  for (let partition = 0; partition < 6; partition++) {
    await world.create(partition);
    logs.push(new ReplicaLog(world.log(partition)));
  }
  const stuck = world.disk.faults.add(onOperation('sync'), hang);
  for (const log of logs.slice(0, 5)) log.append([batch({ baseOffset: 0, payload: 1_200 })]);
  await world.settle();
  const [, , , , , idle] = logs;
  expect(idle?.isBacklogged).toBe(true);
  let isDrained = false;
  const drained = idle?.drained().then(() => {
    isDrained = true;
  });
  await world.settle(100);
  expect(isDrained).toBe(false);
  expect(idle?.refusalOf(1_200)).toBeUndefined();
  stuck.remove();
  await world.run(Promise.resolve(drained));
  expect(idle?.isBacklogged).toBe(false);
});
