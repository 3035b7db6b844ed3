import { describe, expect, it } from 'vitest';
import { decideHeartbeat } from '../../../controller/cluster/core/heartbeat.ts';
import { decideIntent } from '../../../controller/cluster/core/intents.ts';
import { nodeId, partitionNumber, storageId } from '../../../proto/model/ids.ts';
import { brokerEpoch, revision } from '../../../proto/model/offset.ts';
import { uuid } from '../../proto/metadata/metadata-builders.ts';
import { DecisionWorld, refusal } from './decision-world.ts';

function worldWithTopic(config: [string, string][] = []): DecisionWorld {
  const world = new DecisionWorld();
  world.createTopic('orders', {
    assignment: [[nodeId(1), nodeId(2), nodeId(3)]],
    config: new Map(config),
  });
  return world;
}

describe('a registration', () => {
  it('gives an epoch that grows with each incarnation, and the same one when it is sent again', () => {
    const world = new DecisionWorld();
    const first = world.broker(2).brokerEpoch;
    expect(world.commit(world.register(2, 2))).toEqual({ brokerEpoch: 'revision' });
    const second = world.broker(2).brokerEpoch;
    expect(second).toBe(world.image.revision);
    expect(second).toBeGreaterThan(first);
    expect(world.commit(world.register(2, 2))).toEqual({ brokerEpoch: second });
  });

  it('of a leader opens a round and takes it out of the in-sync set, in the same change', () => {
    const world = worldWithTopic();
    world.commit(world.register(1, 2));
    expect(world.partition('orders')).toMatchObject({
      leader: undefined,
      leaderEpoch: 2,
      isr: [2, 3],
      elr: [],
      suspects: [],
      roundPurpose: 'leader-lost',
    });
    expect(world.broker(1).state).toBe('fenced');
  });

  it.each([
    ['with another directory', { storageId: storageId(uuid(999)) }],
    ['with an emptied one that kept its identity', { lastBrokerEpoch: undefined }],
    ['with an older image, by its epoch', { lastBrokerEpoch: brokerEpoch(1) }],
  ])('%s makes all its replicas suspect', (_, change) => {
    const world = worldWithTopic();
    world.commit(world.register(2, 2, change));
    expect(world.partition('orders')).toMatchObject({ isr: [1, 3], suspects: [2], leader: 1 });
  });

  it('with an older image, by its stamp, makes its replicas suspect', () => {
    const world = worldWithTopic();
    world.heartbeat(2, { storageStamp: 1 });
    expect(world.broker(2).storageStamp).toBe(1);
    world.commit(world.register(2, 2, { storageStamp: 0 }));
    expect(world.partition('orders').suspects).toEqual([2]);
  });

  it('after a crash between the grant of an epoch and its first heartbeat makes nobody suspect', () => {
    const world = worldWithTopic();
    const known = world.broker(2).brokerEpoch;
    world.commit(world.register(2, 2));
    world.commit(world.register(2, 3, { lastBrokerEpoch: known }));
    expect(world.partition('orders').suspects).toEqual([]);
  });

  it('makes only the damaged replicas suspect', () => {
    const world = worldWithTopic();
    world.createTopic('other', { assignment: [[nodeId(1), nodeId(2)]] });
    const { topicId } = world.topic('orders');
    world.commit(world.register(2, 2, { damaged: [{ topicId, partition: partitionNumber(0) }] }));
    expect(world.partition('orders').suspects).toEqual([2]);
    expect(world.partition('other').suspects).toEqual([]);
  });

  it('after a power loss makes the replicas suspect whose topic says flush=os, and no others', () => {
    const world = worldWithTopic([['flush', 'os']]);
    world.createTopic('flushed', { assignment: [[nodeId(1), nodeId(2)]] });
    world.commit(world.register(2, 2, { kernelChanged: true }));
    expect(world.partition('orders').suspects).toEqual([2]);
    expect(world.partition('flushed').suspects).toEqual([]);
  });

  it.each([
    ['a crash of the process alone', { kernelChanged: false }],
    ['an orderly stop before the machine was restarted', { kernelChanged: true, cleanStop: true }],
  ])('after %s makes no flush=os replica suspect', (_, change) => {
    const world = worldWithTopic([['flush', 'os']]);
    world.commit(world.register(2, 2, change));
    expect(world.partition('orders').suspects).toEqual([]);
  });

  it('with suspect storage leaves ISR and ELR empty rather than elect it, and remembers the member', () => {
    const world = worldWithTopic();
    world.propose(world.proposal('orders', [1]));
    expect(world.partition('orders').elr).toEqual([2, 3]);
    for (const id of [2, 3, 1]) {
      world.commit(world.register(id, 2, { storageId: storageId(uuid(900 + id)) }));
    }
    expect(world.partition('orders')).toMatchObject({
      leader: undefined,
      isr: [],
      elr: [],
      lastKnownElr: [2, 3, 1],
      suspects: [2, 3, 1],
    });
  });

  it('is refused where a live broker has the node id and another directory', () => {
    const world = new DecisionWorld();
    const other = { storageId: storageId(uuid(999)) };
    expect(refusal(world.register(2, 2, other, true)).code).toBe('DUPLICATE_BROKER');
    expect(world.register(2, 2, other, false).kind).toBe('decided');
    expect(world.register(2, 2, {}, true).kind).toBe('decided');
  });

  it.each([
    ['UNSUPPORTED_VERSION', { featureMin: 2, featureMax: 3 }],
    ['INVALID_REQUEST', { port: 0 }],
    ['INVALID_REQUEST', { peerPort: 70_000 }],
    ['INVALID_REQUEST', { host: '' }],
    ['INVALID_REQUEST', { rack: 'x'.repeat(65) }],
  ])('that cannot be is %s: %o', (code, change) => {
    expect(refusal(new DecisionWorld().register(9, 1, change)).code).toBe(code);
  });
});

describe('a heartbeat', () => {
  it('unfences a broker once it has applied its own registration, and not before', () => {
    const world = new DecisionWorld();
    world.commit(world.register(2, 2));
    const epoch = world.broker(2).brokerEpoch;
    expect(world.heartbeat(2, { revision: revision(epoch - 1) }).fenced).toBe(true);
    expect(world.heartbeat(2, { revision: revision(epoch) }).fenced).toBe(false);
    expect(world.broker(2)).toMatchObject({ state: 'active', storedEpoch: epoch });
  });

  it('of an earlier incarnation, or of a stranger, changes nothing', () => {
    const world = new DecisionWorld();
    const old = world.broker(2).brokerEpoch;
    world.commit(world.register(2, 2));
    const beat = {
      revision: revision(99),
      wantsShutdown: false,
      storageStamp: 0,
      diskFailing: false,
    };
    const send = (id: number) =>
      refusal(
        decideHeartbeat(world.image, { ...beat, nodeId: nodeId(id), brokerEpoch: old }, true),
      );
    expect(send(2).code).toBe('STALE_BROKER_EPOCH');
    expect(send(9).code).toBe('UNKNOWN_BROKER');
  });

  it('renews the storage stamp by one when it is time, and takes only that one as stored', () => {
    const world = new DecisionWorld();
    expect(world.heartbeat(2).nextStorageStamp).toBe(0);
    expect(world.heartbeat(2, {}, true).nextStorageStamp).toBe(1);
    world.heartbeat(2, { storageStamp: 7 });
    expect(world.broker(2).storageStamp).toBe(0);
    world.heartbeat(2, { storageStamp: 1 });
    expect(world.broker(2).storageStamp).toBe(1);
  });

  it('with a failing disk fences the broker', () => {
    const world = worldWithTopic();
    expect(world.heartbeat(1, { diskFailing: true }).fenced).toBe(true);
    expect(world.partition('orders')).toMatchObject({ leader: undefined, isr: [2, 3] });
    expect(world.heartbeat(1, { diskFailing: true }).fenced).toBe(true);
  });

  it('asking to stop lets the broker go when its leaderships have moved, and fences it then', () => {
    const world = worldWithTopic();
    const stop = { wantsShutdown: true };
    expect(world.heartbeat(1, stop)).toMatchObject({ mayShutDown: false, fenced: false });
    expect(world.broker(1).state).toBe('stopping');
    world.settle();
    expect(world.partition('orders').successor).toBe(2);
    world.propose(world.proposal('orders', [1, 2, 3], { handedOverTo: nodeId(2) }));
    for (const id of [1, 2, 3]) world.answer('orders', id, 1, 10);
    expect(world.partition('orders')).toMatchObject({ leader: 2, isr: [1, 2, 3] });
    expect(world.heartbeat(1, stop)).toMatchObject({ mayShutDown: true, fenced: true });
    expect(world.partition('orders').isr).toEqual([2, 3]);
  });

  it('asking to stop does not wait for leaderships that nobody can take', () => {
    const world = new DecisionWorld();
    world.createTopic('alone', { assignment: [[nodeId(1)]] });
    expect(world.heartbeat(1, { wantsShutdown: true }).mayShutDown).toBe(true);
    expect(world.partition('alone')).toMatchObject({ leader: undefined, isr: [], elr: [1] });
  });
});

describe('an operator', () => {
  it('drains a broker: its leaderships move, it stays in sync, and nothing comes back', () => {
    const world = worldWithTopic();
    world.commit(decideIntent(world.image, nodeId(1), 'drain'));
    world.settle();
    world.propose(world.proposal('orders', [1, 2, 3], { handedOverTo: nodeId(2) }));
    for (const id of [1, 2, 3]) world.answer('orders', id, 1, 10);
    world.nowMs += 60_000;
    expect(world.settle()).toBe(0);
    expect(world.partition('orders')).toMatchObject({ leader: 2, isr: [1, 2, 3] });
  });

  it('removes a broker only where the others can hold its replicas', () => {
    const world = worldWithTopic();
    const no = refusal(decideIntent(world.image, nodeId(3), 'remove'));
    expect(no).toMatchObject({
      code: 'INVALID_REPLICATION_FACTOR',
      facts: { replicas: 3, left: 2 },
    });
    expect(refusal(decideIntent(world.image, nodeId(9), 'drain')).code).toBe('UNKNOWN_BROKER');
  });

  it('removes a broker by moving its replicas away, and forgets it when it holds nothing', () => {
    const world = new DecisionWorld([1, 2, 3, 4]);
    world.createTopic('orders', { assignment: [[nodeId(1), nodeId(2), nodeId(3)]] });
    world.commit(decideIntent(world.image, nodeId(3), 'remove'));
    world.settle();
    expect(world.partition('orders')).toMatchObject({ replicas: [1, 2, 4, 3], adding: [4] });
    world.propose(world.proposal('orders', [1, 2, 3, 4]));
    expect(world.partition('orders')).toMatchObject({ replicas: [1, 2, 4], isr: [1, 2, 4] });
    world.settle();
    expect(world.image.brokers.has(nodeId(3))).toBe(false);
  });
});
