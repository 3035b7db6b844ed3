/** What a replica with damage does before it takes part again. */
import { expect, it } from 'vitest';
import { ReplicaRepair } from '../../../broker/partitions/replica-repair.ts';
import { nodeId } from '../../../proto/model/ids.ts';
import { offset } from '../../../proto/model/offset.ts';
import { nodes, state } from '../../proto/metadata/metadata-builders.ts';
import { batch } from '../log/batches.ts';
import { LogWorld } from '../log/log-world.ts';

it('damage that is found while a replica is filled again is cut like the first', async () => {
  const world = new LogWorld();
  await world.start();
  const log = await world.create();
  for (let at = 0; at < 6; at++) log.append([batch({ baseOffset: at })]);
  await world.settle();
  const repair = new ReplicaRepair(nodeId(2));
  const partition = state([1, 2, 3], { isr: nodes(1, 3) });
  const replica = { log, partition, isCompacted: false };

  await world.run(log.markDamage(offset(4)));
  repair.damaged(log);
  expect(repair.judge(replica)).toBe('cut');
  await world.run(repair.cut(replica));
  for (let at = 4; at < 6; at++) log.append([batch({ baseOffset: at })]);
  await world.settle();
  expect(repair.judge(replica)).toBe('host');

  await world.run(log.markDamage(offset(2)));
  repair.damaged(log);
  expect(repair.judge(replica)).toBe('cut');
  await world.run(repair.cut(replica));
  expect(log.logEndOffset).toBe(2);
});

it('a compacted log that is copied onto an empty disk is not cut while it is copied', async () => {
  const world = new LogWorld();
  await world.start();
  const log = await world.create();
  const repair = new ReplicaRepair(nodeId(2));
  const partition = state([1, 2, 3], { isr: nodes(1, 3), suspects: nodes(2) });
  const replica = { log, partition, isCompacted: true };
  expect(repair.judge(replica)).toBe('host');
  repair.hosted(replica);

  log.append([batch({ baseOffset: 0 })]);
  await world.settle();
  expect(repair.judge(replica)).toBe('host');

  const unhosted = new ReplicaRepair(nodeId(2));
  expect(unhosted.judge(replica)).toBe('cut');
});
