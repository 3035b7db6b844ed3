/** A level that is told of later is the level that a write would have waited for. */
import { expect, it } from 'vitest';
import { tokenAuthorizer } from '../../../broker/access/token-authorizer.ts';
import { Traffic } from '../../../broker/metrics/traffic.ts';
import { openReplica } from '../../../broker/partitions/open-replica.ts';
import type { IsrProposal } from '../../../broker/replication/core/effects.ts';
import type { PartitionDriver } from '../../../broker/replication/partition-driver.ts';
import type { ReplicaNode } from '../../../broker/replication/replica-node.ts';
import { ReplicationStreams } from '../../../broker/replication/replication-streams.ts';
import { awaitStored } from '../../../broker/services/await-stored.ts';
import { registerProduce } from '../../../broker/services/produce-service.ts';
import {
  type AwaitStoredRequest,
  produceService,
} from '../../../proto/generated/highwater/v1/produce.ts';
import { nodeId, partitionNumber } from '../../../proto/model/ids.ts';
import { brokerEpoch, leaderEpoch, offset, partitionEpoch } from '../../../proto/model/offset.ts';
import { silentLogger } from '../../../proto/ports/logger.ts';
import { checkProducedBatch } from '../../../proto/wire/produce-check.ts';
import { state } from '../../proto/metadata/metadata-builders.ts';
import { MemoryBed } from '../../proto/rpc/memory/memory-bed.ts';
import { noPeers } from '../../support/no-peers.ts';
import { batch } from '../log/batches.ts';
import { LogWorld } from '../log/log-world.ts';
import { metadata, nodes } from '../replication/core/builders.ts';

/** Node 1 leads; 3 is in sync; 2 copies, and may not join. One record is in the log. */
async function leaderOfOne(settings: Parameters<typeof metadata>[1] = {}) {
  const world = new LogWorld();
  await world.start();
  const log = await world.create(0);
  const { clock } = world;
  const proposals: IsrProposal[] = [];
  const streams = new ReplicationStreams({
    ...{ endpoint: noPeers, clock, logger: silentLogger },
    ...{ lookup: () => undefined, addressOf: () => undefined },
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
  const driver = openReplica({ ...host, isLeaseHeld: () => true }, log, past);
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

function stored(driver: PartitionDriver, follower: number): void {
  driver.followerReported(nodeId(follower), {
    ...{ slot: 1, stream: 1, leaderEpoch: leaderEpoch(1) },
    ...{ logEnd: offset(1), storedEnd: offset(1) },
  });
}

const asked: AwaitStoredRequest = {
  ...{
    topicId: '' as never,
    topic: '',
    partition: partitionNumber(0),
    leaderEpoch: leaderEpoch(1),
  },
  ...{ endOffset: offset(1), acks: 'semi-sync', replicas: 0, timeoutMs: 1_000 },
};

it('semi-sync is not reached by replicas that no election would ask for', async () => {
  const { world, driver } = await leaderOfOne();
  stored(driver, 2);
  const answer = awaitStored(driver, asked, world.clock);
  await world.settle(1_500);
  driver.step({ kind: 'tick', nowMs: world.clock.now(), ableToServeMs: 10 });
  expect(await world.run(answer)).toEqual({ reached: false, storedBy: [1, 2], isrSize: 2 });
});

it('semi-sync is reached once its members are committed and have stored it', async () => {
  const { world, driver, proposals } = await leaderOfOne();
  stored(driver, 3);
  const answer = awaitStored(driver, asked, world.clock);
  await world.settle();
  const [{ proposal, semiSync } = { proposal: 0, semiSync: 'keep' }] = proposals;
  expect(semiSync).toBe('open');
  const committed = { isr: nodes(1, 3), semiSyncMembers: nodes(1, 3), semiSyncReplicas: 2 };
  driver.step({
    ...{ kind: 'proposal-answered', proposal },
    answer: { kind: 'accepted', partitionEpoch: partitionEpoch(2), ...committed },
  });
  expect(await world.run(answer)).toEqual({ reached: true, storedBy: [1, 3], isrSize: 2 });
});

it('semi-sync is refused where the topic has none', async () => {
  const { world, driver } = await leaderOfOne({ semiSyncReplicas: 0 });
  const answer = awaitStored(driver, asked, world.clock);
  await expect(world.run(answer)).rejects.toMatchObject({ code: 'SEMI_SYNC_OFF' });
});

it('semi-sync that degrades is not reached', async () => {
  const degrades = { semiSyncOnTimeout: 'degrade', semiSyncTimeoutMs: 100 } as const;
  const { world, driver } = await leaderOfOne(degrades);
  const answer = awaitStored(driver, asked, world.clock);
  await world.settle(200);
  driver.step({ kind: 'tick', nowMs: world.clock.now(), ableToServeMs: 10 });
  expect(await world.run(answer)).toEqual({ reached: false, storedBy: [1], isrSize: 2 });
});

it('a caller that nobody knows is told of no topic', async () => {
  const bed = new MemoryBed();
  const failure = { code: 'UNKNOWN_TOPIC', message: 'no such topic', facts: new Map() };
  const partitions = { find: () => ({ kind: 'failed', failure }), leaderFacts: () => ({}) };
  registerProduce(bed.server, {
    partitions: partitions as never,
    authorizer: tokenAuthorizer('secret anna produce'),
    clock: bed.serverClock,
    traffic: new Traffic(),
    producerIds: undefined as never,
  });
  const channel = await bed.start();
  const call = bed.settled(channel.unary(produceService.awaitStored, asked, { deadlineMs: 1_000 }));
  await expect(call).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  await bed.close();
});
