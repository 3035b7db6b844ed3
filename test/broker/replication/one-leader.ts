/** One leader on a log of its own, to which tests speak as followers do. */
import { openReplica } from '../../../broker/partitions/open-replica.ts';
import type { IsrProposal } from '../../../broker/replication/core/effects.ts';
import type { PartitionSettings } from '../../../broker/replication/core/metadata.ts';
import type { PartitionDriver } from '../../../broker/replication/partition-driver.ts';
import type { ReplicaNode } from '../../../broker/replication/replica-node.ts';
import { ReplicationStreams } from '../../../broker/replication/replication-streams.ts';
import { nodeId, partitionNumber } from '../../../proto/model/ids.ts';
import { brokerEpoch, leaderEpoch, offset } from '../../../proto/model/offset.ts';
import type { LinkEndpoint } from '../../../proto/ports/link.ts';
import { silentLogger } from '../../../proto/ports/logger.ts';
import { checkProducedBatch } from '../../../proto/wire/produce-check.ts';
import { state } from '../../proto/metadata/metadata-builders.ts';
import { noPeers } from '../../support/no-peers.ts';
import { batch } from '../log/batches.ts';
import { LogWorld } from '../log/log-world.ts';
import { metadata, nodes } from './core/builders.ts';

/** Node 1 leads; 3 is in sync; 2 copies, and may not join. One record is in the log. */
export async function leaderOfOne(
  settings: Partial<PartitionSettings> = {},
  endpoint: LinkEndpoint = noPeers,
) {
  const world = new LogWorld();
  await world.start();
  const log = await world.create(0);
  const { clock } = world;
  const proposals: IsrProposal[] = [];
  const streams = new ReplicationStreams({
    ...{ endpoint, clock, logger: silentLogger },
    ...{ lookup: () => driver, addressOf: () => undefined },
    moves: { bytesPerSecond: 0, isAdded: () => false },
  });
  const node: ReplicaNode = {
    ...{ clock, streams, answerPromise() {}, resign() {}, handOverReady() {}, record() {} },
    ...{ wantTicks() {}, judgeLease() {}, logFailed() {} },
    propose: (_replica, proposal) => void proposals.push(proposal),
    fail(error) {
      throw error;
    },
  };
  const partition = { ...state([1, 2, 3]), partition: partitionNumber(0) };
  const host = { nodeId: nodeId(1), brokerEpoch: brokerEpoch(1), node, rules: undefined };
  const past = { partition, isStart: false, streams: 0 };
  const driver: PartitionDriver = openReplica({ ...host, isLeaseHeld: () => true }, log, past);
  const facts = metadata({ isr: nodes(1, 3) }, settings);
  const replicas = facts.replicas.map((one) => ({ ...one, isEligible: one.nodeId !== 2 }));
  driver.step({ kind: 'metadata', metadata: { ...facts, replicas } });
  for (const id of [2, 3])
    driver.step({
      ...{ kind: 'follower-opened', follower: nodeId(id), brokerEpoch: brokerEpoch(id), stream: 1 },
      ...{ leaderEpoch: leaderEpoch(1), lastEpoch: undefined, logEnd: offset(0) },
    });
  const bytes = batch({ baseOffset: 0, payload: 10 });
  const span = { at: 0, end: bytes.length };
  const header = checkProducedBatch(bytes, span, { batchBytesMax: 2 ** 20, nowMs: clock.wall() });
  if (header.kind === 'fault') throw new Error(header.reason);
  const options = { acks: 'leader', deadlineMs: 60_000, expectedOffset: undefined } as const;
  driver.produce(bytes, header, options, () => {});
  await world.settle();
  return { world, driver, proposals };
}
