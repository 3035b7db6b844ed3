/** Work in the background on many logs, one of which cannot be worked on. */
import { expect, it } from 'vitest';
import { LogMaintenance } from '../../../broker/partitions/log-maintenance.ts';
import { openReplica } from '../../../broker/partitions/open-replica.ts';
import type { ReplicaNode } from '../../../broker/replication/replica-node.ts';
import { ReplicationStreams } from '../../../broker/replication/replication-streams.ts';
import { nodeId, partitionNumber } from '../../../proto/model/ids.ts';
import { brokerEpoch, offset } from '../../../proto/model/offset.ts';
import { silentLogger } from '../../../proto/ports/logger.ts';
import { allOf, failWith, onOperation, onPath } from '../../../proto/ports/memory/disk-faults.ts';
import { state } from '../../proto/metadata/metadata-builders.ts';
import { noPeers } from '../../support/no-peers.ts';
import { batch } from '../log/batches.ts';
import { LogWorld } from '../log/log-world.ts';

it('retention goes on with the other logs where one cannot be read', async () => {
  const world = new LogWorld();
  world.limits = { retentionCheckMs: 1_000, checkpointMs: 100, scrubBytesPerSecond: 0 };
  world.config = { ...world.config, segmentBytes: 500, retentionBytes: 600 };
  await world.start();
  for (const partition of [0, 1]) {
    const log = await world.create(partition);
    for (let at = 0; at < 10; at++) log.append([batch({ baseOffset: at, payload: 300 })]);
    await world.settle();
    log.setHighWatermark(offset(10));
  }
  await world.stop();
  const logs = await world.start();
  const { clock } = world;
  const streams = new ReplicationStreams({
    endpoint: noPeers,
    clock,
    logger: silentLogger,
    lookup: () => undefined,
    addressOf: () => undefined,
    moves: { bytesPerSecond: 0, isAdded: () => false },
  });
  const node: ReplicaNode = {
    ...{ clock, streams, propose() {}, answerPromise() {}, resign() {}, handOverReady() {} },
    ...{ record() {}, wantTicks() {}, judgeLease() {}, logFailed() {} },
    fail(error) {
      throw error;
    },
  };
  const host = { nodeId: nodeId(1), brokerEpoch: brokerEpoch(1), node, rules: undefined };
  const drivers = [0, 1].map((at) => {
    const partition = { ...state([1, 2, 3]), partition: partitionNumber(at) };
    const past = { partition, isStart: false, streams: 0 };
    return openReplica({ ...host, isLeaseHeld: () => true }, world.log(at), past);
  });
  const maintenance = new LogMaintenance({
    ...{ logs, clock, logger: silentLogger, drivers: () => drivers },
    onDamage() {},
    onRoom() {},
  });
  world.disk.faults.add(allOf(onOperation('open'), onPath(/-0\/.*\.log$/)), failWith('EMFILE'));
  maintenance.start();
  await world.settle(3_000);
  maintenance.stop();
  expect(world.log(0).logStartOffset).toBe(0);
  expect(world.log(1).logStartOffset).toBeGreaterThan(5);
});
