import { describe, expect, it } from 'vitest';
import { decideIntent } from '../../../controller/cluster/core/intents.ts';
import {
  decideReassignment,
  type Reassignment,
} from '../../../controller/cluster/core/reassignment.ts';
import { nodeId, partitionNumber, storageId } from '../../../proto/model/ids.ts';
import { uuid } from '../../proto/metadata/metadata-builders.ts';
import { DecisionWorld, refusal } from './decision-world.ts';

const to = (...replicas: number[]): Reassignment => ({
  topic: 'orders',
  partition: partitionNumber(0),
  replicas: replicas.map(nodeId),
});

function fourBrokers(config: [string, string][] = []): DecisionWorld {
  const world = new DecisionWorld([1, 2, 3, 4]);
  world.createTopic('orders', {
    assignment: [[1, 2, 3].map(nodeId)],
    config: new Map(config),
  });
  return world;
}

describe('a reassignment', () => {
  it('grows, waits until the added replica is in sync, then drops the other', () => {
    const world = fourBrokers();
    world.commit(decideReassignment(world.image, to(1, 2, 4)));
    expect(world.partition('orders')).toMatchObject({
      replicas: [1, 2, 4, 3],
      adding: [4],
      removing: [3],
      isr: [1, 2, 3],
    });
    const answer = world.propose(world.proposal('orders', [1, 2, 3, 4]));
    expect(world.partition('orders')).toMatchObject({
      replicas: [1, 2, 4],
      adding: [],
      removing: [],
      isr: [1, 2, 4],
    });
    // The leader learns of the steps behind its own from the metadata alone.
    expect(answer).toMatchObject({ code: '', isr: [1, 2, 3, 4], partitionEpoch: 3 });
    expect(world.partition('orders').partitionEpoch).toBeGreaterThan(3);
  });

  it('moves the leadership away before it drops the leader', () => {
    const world = fourBrokers();
    world.commit(decideReassignment(world.image, to(4, 2, 3)));
    world.propose(world.proposal('orders', [1, 2, 3, 4]));
    expect(world.partition('orders')).toMatchObject({ leader: 1, successor: 4, removing: [1] });
    world.propose(world.proposal('orders', [1, 2, 3, 4], { handedOverTo: nodeId(4) }));
    for (const id of [1, 2, 3, 4]) world.answer('orders', id, 1, 10);
    expect(world.partition('orders')).toMatchObject({
      leader: 4,
      replicas: [4, 2, 3],
      isr: [2, 3, 4],
      removing: [],
    });
  });

  it('never drops a semi-sync member before the leader has settled', () => {
    const world = fourBrokers();
    const open = { semiSync: 'open', semiSyncReplicas: 2 } as const;
    world.propose(world.proposal('orders', [1, 2, 3], open));
    world.commit(decideReassignment(world.image, to(1, 2, 4)));
    world.propose(world.proposal('orders', [1, 2, 3, 4]));
    expect(world.partition('orders')).toMatchObject({
      replicas: [1, 2, 4, 3],
      isr: [1, 2, 4],
      semiSyncMembers: [1, 2, 3, 4],
      removing: [3],
    });
    expect(world.propose(world.proposal('orders', [1, 2, 4, 3])).code).toBe('INELIGIBLE_REPLICA');
    const settle = { semiSync: 'settle', semiSyncReplicas: 2 } as const;
    world.propose(world.proposal('orders', [1, 2, 4], settle));
    expect(world.partition('orders')).toMatchObject({
      replicas: [1, 2, 4],
      semiSyncMembers: [1, 2, 4],
    });
  });

  it('never takes the in-sync set below the minimum', () => {
    const world = fourBrokers();
    world.commit(decideReassignment(world.image, to(4, 2)));
    world.propose(world.proposal('orders', [1, 3]));
    world.propose(world.proposal('orders', [1, 3, 4]));
    expect(world.partition('orders')).toMatchObject({ adding: [], removing: [1, 3] });
    // Leader 1 hands over to 4; then 1 and 3 stay in sync until 2 is.
    world.propose(world.proposal('orders', [1, 3, 4], { handedOverTo: nodeId(4) }));
    for (const id of [1, 2, 3, 4]) world.answer('orders', id, 1, 10);
    expect(world.partition('orders')).toMatchObject({ leader: 4, isr: [1, 3, 4] });
    world.propose(world.proposal('orders', [1, 3, 4, 2]));
    expect(world.partition('orders')).toMatchObject({ replicas: [4, 2], isr: [4, 2] });
  });

  it('is cancelled by turning its roles around', () => {
    const world = fourBrokers();
    world.commit(decideReassignment(world.image, to(1, 2, 4)));
    world.commit(decideReassignment(world.image, to()));
    const { replicas, adding, removing, isr } = world.partition('orders');
    expect([replicas.toSorted((a, b) => a - b), adding, removing, isr]).toEqual([
      [1, 2, 3],
      [],
      [],
      [1, 2, 3],
    ]);
    expect(refusal(decideReassignment(world.image, to())).message).toContain('none is running');
  });

  it('survives a leader’s loss in the middle and goes on under the next one', () => {
    const world = fourBrokers();
    world.commit(decideReassignment(world.image, to(2, 3, 4)));
    world.heartbeat(1, { diskFailing: true });
    for (const id of [2, 3, 4]) world.answer('orders', id, 1, 10 - (id === 4 ? 5 : 0));
    expect(world.partition('orders')).toMatchObject({ leader: 2, adding: [4], removing: [1] });
    world.propose(world.proposal('orders', [2, 3, 4]));
    expect(world.partition('orders')).toMatchObject({ replicas: [2, 3, 4], isr: [2, 3, 4] });
  });

  it('only in order just changes who is preferred', () => {
    const world = fourBrokers();
    world.commit(decideReassignment(world.image, to(3, 2, 1)));
    expect(world.partition('orders')).toMatchObject({ replicas: [3, 2, 1], adding: [], leader: 1 });
  });

  it.each<[string, number[]]>([
    ['already', [1, 2, 3]],
    ['repeat a broker', [1, 1, 2]],
    ['broker 9 is not registered', [1, 2, 9]],
    ['the topic asks for 2', [1]],
    ['expected 1 to 16', Array.from({ length: 17 }, (_, i) => i + 1)],
  ])('is refused: %s', (text, replicas) => {
    const world = fourBrokers([['min.insync.replicas', '2']]);
    const no = refusal(decideReassignment(world.image, to(...replicas)));
    expect(no.code).toBe('INVALID_REASSIGNMENT');
    expect(no.message).toContain(text);
  });

  it('is refused to a broker that is fenced or leaving, and while another one runs', () => {
    const world = fourBrokers();
    world.heartbeat(4, { diskFailing: true });
    expect(refusal(decideReassignment(world.image, to(1, 2, 4))).message).toContain('fenced');
    world.heartbeat(4);
    world.commit(decideIntent(world.image, nodeId(4), 'remove'));
    expect(refusal(decideReassignment(world.image, to(1, 2, 4))).message).toContain('removed');
    world.commit(decideIntent(world.image, nodeId(4), 'serve'));
    world.commit(decideReassignment(world.image, to(1, 2, 4)));
    expect(refusal(decideReassignment(world.image, to(1, 3, 4))).message).toContain('is running');
  });
});

describe('a planned move', () => {
  it('is taken back when it is not done in time, and when the successor falls out of sync', () => {
    const world = fourBrokers();
    world.createTopic('other', { assignment: [[1, 4].map(nodeId)] });
    world.commit(decideIntent(world.image, nodeId(1), 'drain'));
    world.settle();
    expect([world.partition('orders').successor, world.partition('other').successor]).toEqual([
      2, 4,
    ]);
    world.heartbeat(2, { diskFailing: true });
    expect(world.partition('orders').successor).toBeUndefined();
    world.nowMs += 5000;
    world.settle();
    const kinds = world.events.map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'hand-over-cancelled').length).toBe(1);
    expect([world.partition('orders').successor, world.partition('other').successor]).toEqual([
      3, 4,
    ]);
  });

  it('goes back to the preferred leader, so many at a time', () => {
    const world = new DecisionWorld([1, 2, 3], { movesMax: 2, balanceMs: 1000 });
    world.createTopic('orders', {
      assignment: Array.from({ length: 5 }, () => [1, 2].map(nodeId)),
    });
    world.settle();
    world.restart(1, 2);
    electAll(world, 2);
    for (const { partition } of [...world.topic('orders').partitions.values()]) {
      const leaderEpoch = world.partition('orders', partition).leaderEpoch;
      world.propose({
        ...world.proposal('orders', [2, 1]),
        partition,
        leaderEpoch,
        partitionEpoch: world.partition('orders', partition).partitionEpoch,
      });
    }
    world.nowMs += 1000;
    world.settle();
    const asked = () =>
      [...world.topic('orders').partitions.values()].filter(({ successor }) => successor === 1)
        .length;
    expect(asked()).toBe(2);
    world.nowMs += 1000;
    world.settle();
    expect(asked()).toBe(2);
  });

  it('off a stopped broker spreads the leaderships over the others', () => {
    const world = new DecisionWorld([1, 2, 3]);
    world.createTopic('orders', {
      assignment: Array.from({ length: 10 }, () => [1, 2, 3].map(nodeId)),
    });
    world.heartbeat(1, { wantsShutdown: true });
    world.settle();
    const successors = [...world.topic('orders').partitions.values()].map((one) => one.successor);
    expect(successors.filter((node) => node === 2).length).toBe(5);
    expect(successors.filter((node) => node === 3).length).toBe(5);
  });

  it('is not made to a replica whose storage is suspect', () => {
    const world = fourBrokers();
    world.restart(2, 2, { storageId: storageId(uuid(999)) });
    world.commit(decideIntent(world.image, nodeId(1), 'drain'));
    world.settle();
    expect(world.partition('orders').successor).toBe(3);
  });
});

/** Every open round is answered by this broker alone, and its grace passes. */
function electAll(world: DecisionWorld, id: number): void {
  for (const round of [...world.upkeep.rounds.open.values()]) {
    round.answers.set(nodeId(id), {
      nodeId: nodeId(id),
      brokerEpoch: world.broker(id).brokerEpoch,
      verifiedEpoch: round.leaderEpoch,
      storedEnd: 0 as never,
      isSuspect: false,
    });
  }
  world.passGrace();
  world.passGrace();
}
