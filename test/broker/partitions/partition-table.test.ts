import { expect, it } from 'vitest';
import { PartitionTable } from '../../../broker/partitions/partition-table.ts';
import type { ProduceResult } from '../../../broker/replication/core/effects.ts';
import { ReplicationStreams } from '../../../broker/replication/replication-streams.ts';
import { record } from '../../../proto/metadata/records.ts';
import { nodeId } from '../../../proto/model/ids.ts';
import { brokerEpoch, partitionEpoch } from '../../../proto/model/offset.ts';
import { silentLogger } from '../../../proto/ports/logger.ts';
import { readBatchHeader } from '../../../proto/wire/batch-header.ts';
import {
  after,
  clusterOf,
  nodes,
  state,
  theTopic,
  topicWith,
} from '../../proto/metadata/metadata-builders.ts';
import { noPeers } from '../../support/no-peers.ts';
import { batch } from '../log/batches.ts';
import { LogWorld } from '../log/log-world.ts';

it('a replica whose partition changes before its log is made is hosted once', async () => {
  const { world, table, roles } = await tableOfNode2();
  const before = clusterOf(1, 2, 3);
  await world.run(table.start(before));
  const created = after(before, topicWith(state([1, 2, 3])));
  const used = state([1, 2, 3], {
    partitionEpoch: partitionEpoch(2),
    semiSyncMembers: nodes(1, 2, 3),
    semiSyncReplicas: 2,
  });
  table.apply(created);
  table.apply(after(created, record('partitionChanged', { topicId: theTopic, state: used })));
  await world.run(table.settled());
  expect(roles).toEqual(['following']);
  const [driver] = table.drivers();
  expect(driver?.state.metadata?.partitionEpoch).toBe(2);
  table.stop();
});

it('a replica that was moved away and comes back opens a stream that its leader has not seen', async () => {
  const { world, table } = await tableOfNode2();
  const empty = clusterOf(1, 2, 3);
  const created = after(empty, topicWith(state([1, 2])));
  await world.run(table.start(created));
  const [first] = table.drivers();
  expect(first?.state.streams).toBe(1);

  const moved = state([1, 3], { partitionEpoch: partitionEpoch(2) });
  const gone = after(created, record('partitionChanged', { topicId: theTopic, state: moved }));
  table.apply(gone);
  await world.run(table.settled());
  expect([...table.drivers()]).toEqual([]);

  const added = state([1, 3, 2], {
    partitionEpoch: partitionEpoch(3),
    isr: nodes(1, 3),
    adding: nodes(2),
  });
  table.apply(after(gone, record('partitionChanged', { topicId: theTopic, state: added })));
  await world.run(table.settled());
  const [second] = table.drivers();
  expect(second?.state.role.kind).toBe('follower');
  expect(second?.state.streams).toBe(2);
  table.stop();
});

it('judges the lease by the clock before a write that was queued meanwhile', async () => {
  const { world, table, lease } = await tableOfNode2();
  const empty = clusterOf(1, 2, 3);
  await world.run(table.start(empty));
  table.apply(after(empty, topicWith(state([2]))));
  await world.run(table.settled());
  await world.settle();
  const [driver] = table.drivers();
  const bytes = batch({ baseOffset: 0, payload: 100 });
  const header = readBatchHeader(bytes, 0);
  if (driver === undefined || header.kind !== 'batch') throw new Error('there is a leader');
  const results: ProduceResult[] = [];
  lease.judge = () => {
    lease.judge = () => undefined;
    table.leaseChanged(false);
  };
  const options = { acks: 'none' as const, deadlineMs: 10_000, expectedOffset: undefined };
  driver.produce(bytes, header, options, (result) => results.push(result));
  expect(results).toEqual([{ kind: 'failed', code: 'LEASE_LOST', outcome: 'not-written' }]);
  table.stop();
});

/** The replicas of node 2, which reaches nobody. */
async function tableOfNode2() {
  const world = new LogWorld();
  const logs = await world.start();
  const { clock } = world;
  const roles: string[] = [];
  const lease = { judge: (): void => undefined };
  const table: PartitionTable = new PartitionTable(
    ((options) => options)({
      nodeId: nodeId(2),
      brokerEpoch: brokerEpoch(1),
      logs,
      logger: silentLogger,
      rules: undefined,
      isLeaseHeld: () => true,
      node: {
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
        resign() {},
        handOverReady() {},
        record: (_: unknown, { event }: { readonly event: string }) => roles.push(event),
        wantTicks() {},
        judgeLease: () => lease.judge(),
        logFailed() {},
        fail(error: unknown) {
          throw error;
        },
      },
    }),
  );
  return { world, table, roles, lease };
}
