/** One replica on a log of its own, and what it says to its node; the other nodes are the test. */
import type { LogLimits } from '../../../broker/log/log-config.ts';
import { openReplica } from '../../../broker/partitions/open-replica.ts';
import type { IsrProposal } from '../../../broker/replication/core/effects.ts';
import type { PartitionDriver } from '../../../broker/replication/partition-driver.ts';
import type { ReplicaNode } from '../../../broker/replication/replica-node.ts';
import { ReplicationStreams } from '../../../broker/replication/replication-streams.ts';
import { nodeId, partitionNumber } from '../../../proto/model/ids.ts';
import { brokerEpoch } from '../../../proto/model/offset.ts';
import type { LinkEndpoint } from '../../../proto/ports/link.ts';
import { silentLogger } from '../../../proto/ports/logger.ts';
import { state } from '../../proto/metadata/metadata-builders.ts';
import { LogWorld } from '../log/log-world.ts';

/** The replica of node `self`, whose incarnation has the same number. */
export async function loneReplica(
  self: number,
  endpoint: LinkEndpoint,
  limits: Partial<LogLimits> = {},
) {
  const world = new LogWorld();
  world.limits = { ...world.limits, ...limits };
  await world.start();
  const log = await world.create(0);
  const { clock } = world;
  const proposals: IsrProposal[] = [];
  const failures: unknown[] = [];
  const streams = new ReplicationStreams({
    ...{ endpoint, clock, logger: silentLogger, lookup: () => driver },
    addressOf: (node) => ({ nodeId: node, host: `host-${node}`, port: 1 }),
    moves: { bytesPerSecond: 0, isAdded: () => false },
  });
  const node: ReplicaNode = {
    ...{ clock, streams, answerPromise() {}, resign() {}, handOverReady() {}, record() {} },
    ...{ wantTicks() {}, judgeLease() {} },
    propose: (_replica, proposal) => void proposals.push(proposal),
    logFailed: (_replica, failure) => void failures.push(failure),
    fail(error) {
      throw error;
    },
  };
  const partition = { ...state([1, 2, 3]), partition: partitionNumber(0) };
  const host = { nodeId: nodeId(self), brokerEpoch: brokerEpoch(self), node, rules: undefined };
  const past = { partition, isStart: false, streams: 0 };
  const driver: PartitionDriver = openReplica({ ...host, isLeaseHeld: () => true }, log, past);
  return { world, log, driver, proposals, failures };
}
