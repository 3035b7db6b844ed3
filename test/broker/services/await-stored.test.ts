/** A level that is told of later is the level that a write would have waited for. */
import { expect, it } from 'vitest';
import { tokenAuthorizer } from '../../../broker/access/token-authorizer.ts';
import { Traffic } from '../../../broker/metrics/traffic.ts';
import type { PartitionDriver } from '../../../broker/replication/partition-driver.ts';
import { awaitStored } from '../../../broker/services/await-stored.ts';
import { registerProduce } from '../../../broker/services/produce-service.ts';
import {
  type AwaitStoredRequest,
  produceService,
} from '../../../proto/generated/highwater/v1/produce.ts';
import { nodeId, partitionNumber } from '../../../proto/model/ids.ts';
import { brokerEpoch, leaderEpoch, offset, partitionEpoch } from '../../../proto/model/offset.ts';
import { MemoryBed } from '../../proto/rpc/memory/memory-bed.ts';
import { nodes } from '../replication/core/builders.ts';
import { leaderOfOne } from '../replication/one-leader.ts';

function stored(driver: PartitionDriver, follower: number): void {
  driver.followerReported(nodeId(follower), brokerEpoch(follower), {
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
