/** A replica that a full disk stopped takes part again once there is room, and leads no epoch that it led. */
import { expect, it } from 'vitest';
import { PartitionTable } from '../../../broker/partitions/partition-table.ts';
import type { ReplicaNode } from '../../../broker/replication/replica-node.ts';
import { ReplicationStreams } from '../../../broker/replication/replication-streams.ts';
import { nodeId } from '../../../proto/model/ids.ts';
import { brokerEpoch } from '../../../proto/model/offset.ts';
import { silentLogger } from '../../../proto/ports/logger.ts';
import { allOf, failWith, onOperation, onPath } from '../../../proto/ports/memory/disk-faults.ts';
import { readBatchHeader } from '../../../proto/wire/batch-header.ts';
import { after, clusterOf, state, topicWith } from '../../proto/metadata/metadata-builders.ts';
import { noPeers } from '../../support/no-peers.ts';
import { batch } from '../log/batches.ts';
import { LogWorld } from '../log/log-world.ts';

it('opens again when there is room, and does not lead on in its epoch', async () => {
  const world = new LogWorld();
  world.limits = { reserveBytes: 0 };
  const logs = await world.start();
  const { clock } = world;
  const told: string[] = [];
  const resigned: number[] = [];
  const node: ReplicaNode = {
    clock,
    streams: new ReplicationStreams({
      endpoint: noPeers,
      clock,
      logger: silentLogger,
      lookup: (topicId, partition) => table.find(topicId, partition),
      addressOf: () => undefined,
      moves: { bytesPerSecond: 0, isAdded: () => false },
    }),
    propose() {},
    answerPromise() {},
    resign: (_, epoch) => resigned.push(epoch),
    handOverReady() {},
    record: (_, { event }) => told.push(event),
    wantTicks() {},
    judgeLease() {},
    logFailed: (_, { code }) => told.push(code),
    fail(error) {
      throw error;
    },
  };
  const table: PartitionTable = new PartitionTable({
    nodeId: nodeId(1),
    brokerEpoch: brokerEpoch(1),
    ...{ logs, logger: silentLogger, rules: undefined, isLeaseHeld: () => true, node },
  });
  const before = clusterOf(1, 2, 3);
  await world.run(table.start(before));
  table.apply(after(before, topicWith(state([1, 2, 3]))));
  await world.run(table.settled());
  await world.settle();
  const [leader] = table.drivers();
  if (leader === undefined) throw new Error('the replica is hosted');
  expect(leader.state.role.kind).toBe('leader');

  const full = [
    world.disk.faults.add(allOf(onOperation('write'), onPath(/\.log$/)), failWith('ENOSPC')),
    // Nobody knows of room: the estimate stands at nothing.
    world.disk.faults.add(onOperation('free-bytes'), failWith('EIO')),
  ];
  const bytes = batch({ baseOffset: 0, payload: 100 });
  const header = readBatchHeader(bytes, 0);
  if (header.kind !== 'batch') throw new Error('it is a batch');
  leader.produce(
    bytes,
    header,
    { acks: 'leader', deadlineMs: 1e9, expectedOffset: undefined },
    () => {},
  );
  await world.settle(5_000);
  expect(leader.state.role).toEqual({ kind: 'stopped', why: 'log-failed' });
  expect(told).toContain('DISK_FULL');

  expect([...table.drivers()]).toEqual([leader]);

  for (const fault of full) fault.remove();
  await world.settle(5_000);
  await world.run(table.settled());
  const [again] = table.drivers();
  expect(again).not.toBe(leader);
  expect(again?.state.role.kind).toBe('promised');
  expect(resigned).toEqual([1, 1]);
  expect(told.at(-1)).toBe('may-not-lead');
  table.stop();
});
