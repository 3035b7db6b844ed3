import { describe, expect, it } from 'vitest';
import { decideElectLeader } from '../../../controller/cluster/core/operator-election.ts';
import { type RoundsState, takeAnswers } from '../../../controller/cluster/core/rounds.ts';
import {
  createUpkeep,
  defaultUpkeep,
  followImage,
} from '../../../controller/cluster/core/upkeep.ts';
import { deltaBetween } from '../../../proto/metadata/delta.ts';
import { emptyImage } from '../../../proto/metadata/image.ts';
import { nodeId, partitionNumber, storageId } from '../../../proto/model/ids.ts';
import { leaderEpoch, offset } from '../../../proto/model/offset.ts';
import { uuid } from '../../proto/metadata/metadata-builders.ts';
import { DecisionWorld, refusal } from './decision-world.ts';

function leaderless(config: [string, string][] = []): DecisionWorld {
  const world = new DecisionWorld();
  world.createTopic('orders', { assignment: [[1, 2, 3].map(nodeId)], config: new Map(config) });
  world.heartbeat(1, { diskFailing: true });
  return world;
}

const elect = (change: object) => ({
  topic: 'orders',
  partition: partitionNumber(0),
  unclean: false,
  dryRun: false,
  ...change,
});

describe('an election round', () => {
  it('elects the greatest answer, verified epoch first, when all that can answer have', () => {
    const world = leaderless();
    world.answer('orders', 2, 1, 500);
    expect(world.partition('orders').leader).toBeUndefined();
    world.answer('orders', 3, 2, 10);
    expect(world.partition('orders')).toMatchObject({ leader: 3, leaderEpoch: 2, isr: [2, 3] });
  });

  it('goes on after the grace without those that do not answer', () => {
    const world = leaderless();
    world.answer('orders', 2, 1, 500);
    world.passGrace();
    expect(world.partition('orders').leader).toBe(2);
  });

  it('takes no answer of another epoch or of an earlier incarnation', () => {
    const world = leaderless();
    const { rounds } = world.upkeep;
    const answer = {
      topicId: world.topic('orders').topicId,
      partition: partitionNumber(0),
      leaderEpoch: leaderEpoch(1),
      verifiedEpoch: leaderEpoch(1),
      storedEnd: offset(5),
      suspect: false,
    };
    const { brokerEpoch } = world.broker(2);
    const from = { nodeId: nodeId(2), brokerEpoch };
    expect(takeAnswers(rounds, world.image, from, [answer])).toEqual([]);
    world.restart(2, 2);
    const good = { ...answer, leaderEpoch: leaderEpoch(2) };
    expect(takeAnswers(rounds, world.image, from, [good])).toEqual([]);
  });

  it('is decided once, even if a message answers it twice', () => {
    const world = leaderless();
    const { rounds } = world.upkeep;
    const answer = {
      topicId: world.topic('orders').topicId,
      partition: partitionNumber(0),
      leaderEpoch: leaderEpoch(2),
      verifiedEpoch: leaderEpoch(1),
      storedEnd: offset(5),
      suspect: false,
    };
    const { brokerEpoch } = world.broker(2);
    const from = { nodeId: nodeId(2), brokerEpoch };
    expect(takeAnswers(rounds, world.image, from, [answer, answer])).toHaveLength(1);
  });

  it('neither elects nor waits for a broker that was fenced after its answer', () => {
    const world = leaderless();
    world.answer('orders', 2, 1, 500);
    world.heartbeat(2, { diskFailing: true });
    world.answer('orders', 3, 1, 400);
    expect(world.partition('orders')).toMatchObject({ leader: 3, isr: [3], elr: [2] });
  });

  it('waits for an in-sync or eligible replica, and for the semi-sync members', () => {
    const world = new DecisionWorld([1, 2, 3, 4, 5]);
    world.createTopic('orders', { assignment: [[1, 2, 3, 4, 5].map(nodeId)] });
    const open = { semiSync: 'open', semiSyncReplicas: 2 } as const;
    world.propose(world.proposal('orders', [1, 2, 3, 4, 5], open));
    for (const id of [1, 2]) world.heartbeat(id, { diskFailing: true });
    for (const id of [3, 4, 5]) world.answer('orders', id, 1, 10 + id);
    world.passGrace();
    expect(world.partition('orders').leader).toBeUndefined();
    world.nowMs += 2000;
    world.passGrace();
    expect(world.events.at(-1)).toMatchObject({
      kind: 'round-waiting',
      reason: 'too many semi-sync members are missing',
      evidence: { waitingFor: '1,2' },
    });
    world.restart(2, 2);
    world.answer('orders', 2, 1, 99);
    expect(world.partition('orders')).toMatchObject({
      leader: 2,
      isr: [3, 4, 5, 2],
      semiSyncMembers: [1, 2, 3, 4, 5],
      semiSyncReplicas: 2,
    });
  });

  it('ends once who is not suspect has answered again, though its leader lost its disk and a member restarts', () => {
    const world = new DecisionWorld();
    world.createTopic('orders', { assignment: [[1, 2, 3].map(nodeId)] });
    const open = { semiSync: 'open', semiSyncReplicas: 2 } as const;
    world.propose(world.proposal('orders', [1, 2, 3], open));
    world.restart(1, 2, { storageId: storageId(uuid(900)), lastBrokerEpoch: undefined });
    world.answer('orders', 1, 0, 0);
    world.answer('orders', 2, 1, 10);
    expect(world.partition('orders')).toMatchObject({ leader: undefined, suspects: [1] });
    world.restart(2, 2);
    world.answer('orders', 3, 1, 10);
    world.passGrace();
    // The lost disk and an answer of an earlier incarnation: as many as k are missing.
    expect(world.partition('orders').leader).toBeUndefined();
    world.restart(1, 3, { storageId: storageId(uuid(900)) });
    world.answer('orders', 1, 0, 0);
    world.passGrace();
    expect(world.partition('orders').leader).toBeUndefined();
    world.answer('orders', 2, 1, 10);
    world.passGrace();
    expect(world.partition('orders')).toMatchObject({ leader: 2, leaderEpoch: 2, isr: [3, 2] });
  });

  it('never elects a suspect replica by itself; the partition waits for its former members', () => {
    const world = leaderless();
    for (const id of [2, 3]) world.restart(id, 2, { storageId: storageId(uuid(900 + id)) });
    for (const id of [2, 3]) world.answer('orders', id, 1, 10);
    world.passGrace();
    expect(world.partition('orders')).toMatchObject({ leader: undefined, isr: [], elr: [] });
  });

  it('goes on with the longest where the topic says so, and names the epoch as unclean', () => {
    const world = leaderless([['unclean.recovery', 'longest']]);
    for (const id of [1, 2, 3]) world.restart(id, 2, { storageId: storageId(uuid(900 + id)) });
    world.answer('orders', 1, 1, 10);
    world.answer('orders', 2, 1, 30);
    expect(world.partition('orders').leader).toBeUndefined();
    world.answer('orders', 3, 1, 20);
    expect(world.partition('orders')).toMatchObject({
      leader: 2,
      isr: [2],
      uncleanEpoch: 2,
      suspects: [1, 3],
    });
    expect(world.events.at(-1)?.kind).toBe('unclean-election');
  });

  it('tells with its event who answered what and how long it took', () => {
    const world = leaderless();
    world.nowMs += 7;
    for (const id of [2, 3]) world.answer('orders', id, 1, 10 * id);
    expect(world.events.at(-1)).toMatchObject({
      kind: 'leader-elected',
      subject: 'orders/0',
      reason: 'leader-lost',
      evidence: { answers: '2: epoch 1 end 20, 3: epoch 1 end 30', elapsedMs: 7, leader: 3 },
    });
  });

  it('is known to a successor controller from the image alone, and waits there for the answers', () => {
    const world = leaderless();
    world.answer('orders', 2, 1, 500);
    const successor = createUpkeep(defaultUpkeep);
    followImage(successor, deltaBetween(emptyImage, world.image), 0);
    const answered = (rounds: RoundsState): number[] =>
      [...rounds.open.values()].map(({ answers }) => answers.size);
    expect(answered(world.upkeep.rounds)).toEqual([1]);
    expect(answered(successor.rounds)).toEqual([0]);
  });

  it('of a deleted topic is forgotten', () => {
    const world = leaderless();
    expect(world.upkeep.rounds.open.size).toBe(1);
    const empty = deltaBetween(world.image, { ...world.image, topics: emptyImage.topics });
    followImage(world.upkeep, empty, 0);
    expect(world.upkeep.rounds.open.size).toBe(0);
  });
});

describe('an operator’s election', () => {
  it('prints what each candidate would lose before anything is lost', () => {
    const world = leaderless();
    for (const id of [2, 3]) world.restart(id, 2, { storageId: storageId(uuid(900 + id)) });
    world.answer('orders', 2, 1, 30);
    world.answer('orders', 3, 1, 10);
    const before = world.image;
    const preview = world.commit(
      decideElectLeader(world.image, world.upkeep.rounds, elect({ dryRun: true, unclean: true })),
    );
    expect(preview).toMatchObject([
      { nodeId: 2, storedEnd: 30, recordsLostAtLeast: 0, suspect: true },
      { nodeId: 3, storedEnd: 10, recordsLostAtLeast: 20, suspect: true },
    ]);
    expect(world.image).toBe(before);
    const careful = decideElectLeader(world.image, world.upkeep.rounds, elect({}));
    expect(refusal(careful).code).toBe('LEADER_NOT_AVAILABLE');
    const absent = elect({ unclean: true, leader: nodeId(1) });
    expect(refusal(decideElectLeader(world.image, world.upkeep.rounds, absent)).code).toBe(
      'INELIGIBLE_REPLICA',
    );
    const chosen = elect({ unclean: true, leader: nodeId(3) });
    world.commit(decideElectLeader(world.image, world.upkeep.rounds, chosen));
    expect(world.partition('orders')).toMatchObject({ leader: 3, isr: [3], uncleanEpoch: 2 });
    expect(world.events.at(-1)).toMatchObject({ evidence: { recordsLostAtLeast: 20 } });
  });

  it('with a leader in place is a planned move to an in-sync replica', () => {
    const world = new DecisionWorld();
    world.createTopic('orders', { assignment: [[1, 2, 3].map(nodeId)] });
    world.propose(world.proposal('orders', [1, 2]));
    const ask = (leader: number) =>
      decideElectLeader(world.image, world.upkeep.rounds, elect({ leader: nodeId(leader) }));
    expect(refusal(ask(3)).code).toBe('INELIGIBLE_REPLICA');
    world.commit(ask(2));
    expect(world.partition('orders')).toMatchObject({ leader: 1, successor: 2, leaderEpoch: 1 });
    world.propose(world.proposal('orders', [1, 2], { handedOverTo: nodeId(2) }));
    expect(world.partition('orders')).toMatchObject({ leader: undefined, roundPurpose: 'planned' });
    for (const id of [1, 3, 2]) world.answer('orders', id, 1, 10);
    expect(world.partition('orders')).toMatchObject({ leader: 2, isr: [1, 2] });
  });
});
