import { describe, expect, it } from 'vitest';
import { decideAlterPartitions } from '../../../controller/cluster/core/alter-partitions.ts';
import type { PartitionProposal } from '../../../controller/cluster/core/isr-change.ts';
import { decideAlterTopic } from '../../../controller/cluster/core/topic-config.ts';
import { nodeId, partitionNumber, storageId, topicId } from '../../../proto/model/ids.ts';
import { brokerEpoch, leaderEpoch, partitionEpoch } from '../../../proto/model/offset.ts';
import { uuid } from '../../proto/metadata/metadata-builders.ts';
import { DecisionWorld, refusal } from './decision-world.ts';

function fiveReplicas(minimum = '3'): DecisionWorld {
  const world = new DecisionWorld([1, 2, 3, 4, 5]);
  world.createTopic('orders', {
    assignment: [[1, 2, 3, 4, 5].map(nodeId)],
    config: new Map([['min.insync.replicas', minimum]]),
  });
  return world;
}

function threeReplicas(): DecisionWorld {
  const world = new DecisionWorld();
  world.createTopic('orders', { assignment: [[1, 2, 3].map(nodeId)] });
  return world;
}

describe('a proposal', () => {
  it('is taken once: the same one again is outdated', () => {
    const world = threeReplicas();
    const shrink = world.proposal('orders', [1, 2]);
    expect(world.propose(shrink)).toMatchObject({ code: '', partitionEpoch: 2, isr: [1, 2] });
    expect(world.propose(shrink)).toMatchObject({
      code: 'STALE_PARTITION_EPOCH',
      partitionEpoch: 2,
      isr: [1, 2],
    });
  });

  it('raises the partition epoch even if it changes no set, so that it outdates earlier ones', () => {
    const world = threeReplicas();
    const lost = world.proposal('orders', [1, 2]);
    world.propose(world.proposal('orders', [1, 2, 3]));
    expect(world.propose(lost).code).toBe('STALE_PARTITION_EPOCH');
    expect(world.partition('orders').isr).toEqual([1, 2, 3]);
  });

  it.each<[string, Partial<PartitionProposal>, number?]>([
    ['FENCED_LEADER_EPOCH', { leaderEpoch: leaderEpoch(0) }],
    ['UNKNOWN_LEADER_EPOCH', { leaderEpoch: leaderEpoch(2) }],
    ['NOT_LEADER', {}, 2],
    ['STALE_PARTITION_EPOCH', { partitionEpoch: partitionEpoch(9) }],
    ['UNKNOWN_PARTITION', { partition: partitionNumber(7) }],
    ['UNKNOWN_TOPIC', { topicId: topicId(uuid(4444)) }],
    ['INVALID_REQUEST', { isr: [{ nodeId: nodeId(2), brokerEpoch: brokerEpoch(4) }] }],
    ['INVALID_REQUEST', { isr: [] }],
    ['STALE_PARTITION_EPOCH', { handedOverTo: nodeId(2) }],
  ])('is answered %s and changes nothing: %o', (code, change, as) => {
    const world = threeReplicas();
    const before = world.image;
    expect(world.propose(world.proposal('orders', [1, 2], change), as).code).toBe(code);
    expect(world.image).toBe(before);
  });

  it('that names a broker twice, or one that is no replica, is refused', () => {
    const world = new DecisionWorld([1, 2, 3, 4]);
    world.createTopic('orders', { assignment: [[1, 2, 3].map(nodeId)] });
    expect(world.propose(world.proposal('orders', [1, 2, 2])).code).toBe('INVALID_REQUEST');
    expect(world.propose(world.proposal('orders', [1, 2, 4])).code).toBe('INVALID_REQUEST');
  });

  it('of a partition that is named again has an answer of its own, which decides nothing', () => {
    const world = threeReplicas();
    world.createTopic('others', { assignment: [[1, 2, 3].map(nodeId)] });
    const partitions = [
      world.proposal('orders', [1, 2, 3]),
      world.proposal('orders', [1]),
      world.proposal('others', [1, 2]),
    ];
    const request = { nodeId: nodeId(1), brokerEpoch: world.broker(1).brokerEpoch, partitions };
    expect(world.commit(decideAlterPartitions(world.image, request))).toMatchObject([
      { topicId: world.topic('orders').topicId, code: '', isr: [1, 2, 3] },
      { topicId: world.topic('orders').topicId, code: 'OUTCOME_UNKNOWN' },
      { topicId: world.topic('others').topicId, code: '', isr: [1, 2] },
    ]);
    expect(world.partition('orders').isr).toEqual([1, 2, 3]);
  });

  it('of an earlier incarnation of the leader is refused as a whole', () => {
    const world = threeReplicas();
    const request = { nodeId: nodeId(1), brokerEpoch: brokerEpoch(1) };
    const partitions = [world.proposal('orders', [1])];
    const no = refusal(decideAlterPartitions(world.image, { ...request, partitions }));
    expect(no.code).toBe('STALE_BROKER_EPOCH');
  });

  it('does not add a replica judged in another incarnation, which may come back empty', () => {
    const world = threeReplicas();
    world.propose(world.proposal('orders', [1, 2]));
    const delayed = world.proposal('orders', [1, 2, 3]);
    world.restart(3, 2);
    expect(
      world.propose({ ...delayed, partitionEpoch: world.partition('orders').partitionEpoch }).code,
    ).toBe('INELIGIBLE_REPLICA');
  });

  it('does not add a replica that is fenced or stopping', () => {
    const world = threeReplicas();
    world.propose(world.proposal('orders', [1, 2]));
    world.heartbeat(3, { diskFailing: true });
    expect(world.propose(world.proposal('orders', [1, 2, 3])).code).toBe('INELIGIBLE_REPLICA');
    const stopping = threeReplicas();
    stopping.createTopic('led-by-3', { assignment: [[3, 1].map(nodeId)] });
    stopping.propose(stopping.proposal('orders', [1, 2]));
    stopping.heartbeat(3, { wantsShutdown: true });
    expect(stopping.broker(3).state).toBe('stopping');
    expect(stopping.propose(stopping.proposal('orders', [1, 2, 3])).code).toBe(
      'INELIGIBLE_REPLICA',
    );
  });

  it('keeps who leaves below the minimum eligible, and forgets them when the minimum is back', () => {
    const world = fiveReplicas('3');
    world.propose(world.proposal('orders', [1, 2, 3]));
    expect(world.partition('orders').elr).toEqual([]);
    world.propose(world.proposal('orders', [1]));
    expect(world.partition('orders').elr).toEqual([2, 3]);
    world.propose(world.proposal('orders', [1, 4]));
    expect(world.partition('orders')).toMatchObject({ isr: [1, 4], elr: [2, 3] });
    world.propose(world.proposal('orders', [1, 4, 2]));
    expect(world.partition('orders')).toMatchObject({ isr: [1, 4, 2], elr: [] });
  });

  it('clears suspicion of who has caught up', () => {
    const world = threeReplicas();
    world.restart(2, 2, { storageId: storageId(uuid(999)) });
    expect(world.partition('orders').suspects).toEqual([2]);
    world.propose(world.proposal('orders', [1, 3, 2]));
    expect(world.partition('orders')).toMatchObject({ suspects: [], isr: [1, 3, 2] });
  });

  it('made under an earlier minimum is outdated, so nobody is eligible who may lack records', () => {
    const world = fiveReplicas('1');
    const shrink = world.proposal('orders', [1]);
    const set = new Map([['min.insync.replicas', '3']]);
    world.commit(decideAlterTopic(world.image, { name: 'orders', set, reset: [] }));
    expect(world.propose(shrink).code).toBe('STALE_PARTITION_EPOCH');
  });
});

describe('the semi-sync members', () => {
  const members = (world: DecisionWorld) => {
    const { semiSyncMembers, semiSyncReplicas } = world.partition('orders');
    return [semiSyncMembers, semiSyncReplicas];
  };
  const open = { semiSync: 'open', semiSyncReplicas: 2 } as const;

  it('are the in-sync set once opened; who leaves stays one, who joins becomes one', () => {
    const world = fiveReplicas();
    world.propose(world.proposal('orders', [1, 2, 3]));
    expect(members(world)).toEqual([[], 0]);
    world.propose(world.proposal('orders', [1, 2, 3], open));
    expect(members(world)).toEqual([[1, 2, 3], 2]);
    world.propose(world.proposal('orders', [1, 2]));
    world.propose(world.proposal('orders', [1, 2, 4]));
    expect(members(world)).toEqual([[1, 2, 3, 4], 2]);
  });

  it('stay when they are fenced', () => {
    const world = fiveReplicas();
    world.propose(world.proposal('orders', [1, 2, 3, 4, 5], open));
    world.heartbeat(2, { diskFailing: true });
    expect(members(world)).toEqual([[1, 2, 3, 4, 5], 2]);
  });

  it('shrink to the in-sync set when settled, and to nobody when closed', () => {
    const world = fiveReplicas();
    world.propose(world.proposal('orders', [1, 2, 3, 4, 5], open));
    world.propose(world.proposal('orders', [1, 2, 3]));
    const settle = { semiSync: 'settle', semiSyncReplicas: 3 } as const;
    world.propose(world.proposal('orders', [1, 2, 3], settle));
    expect(members(world)).toEqual([[1, 2, 3], 3]);
    world.propose(world.proposal('orders', [1, 2, 3], { semiSync: 'close' }));
    expect(members(world)).toEqual([[], 0]);
  });

  it('count under a raised k only once settled; opening again can only lower it', () => {
    const world = fiveReplicas();
    world.propose(world.proposal('orders', [1, 2, 3, 4, 5], { ...open, semiSyncReplicas: 3 }));
    world.propose(world.proposal('orders', [1, 2, 3, 4, 5], { ...open, semiSyncReplicas: 5 }));
    expect(members(world)[1]).toBe(3);
    world.propose(world.proposal('orders', [1, 2, 3, 4, 5], open));
    expect(members(world)[1]).toBe(2);
  });

  it.each([
    ['settle', 4],
    ['settle', 0],
    ['open', 6],
  ] as const)('refuse %s with k %i', (semiSync, semiSyncReplicas) => {
    const world = fiveReplicas();
    world.propose(world.proposal('orders', [1, 2, 3]));
    const proposal = world.proposal('orders', [1, 2, 3], { semiSync, semiSyncReplicas });
    expect(world.propose(proposal).code).toBe('INVALID_REQUEST');
  });

  it('do not change together with the in-sync set', () => {
    const world = fiveReplicas();
    for (const semiSync of ['open', 'settle', 'close'] as const) {
      const proposal = world.proposal('orders', [1, 2], { semiSync, semiSyncReplicas: 2 });
      expect(world.propose(proposal).code).toBe('INVALID_REQUEST');
    }
  });
});
