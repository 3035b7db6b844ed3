import { describe, expect, it } from 'vitest';
import {
  decideFeatureLevel,
  decideFormation,
  decideProducerIds,
  decideVoters,
} from '../../../controller/cluster/core/cluster-facts.ts';
import { Journal } from '../../../controller/cluster/core/journal.ts';
import { rememberedAnswer, remembering } from '../../../controller/cluster/core/requests.ts';
import { decideDeleteTopic } from '../../../controller/cluster/core/topics.ts';
import { clusterId, nodeId, storageId } from '../../../proto/model/ids.ts';
import { brokerEpoch, revision } from '../../../proto/model/offset.ts';
import { theCluster, uuid } from '../../proto/metadata/metadata-builders.ts';
import { DecisionWorld, refusal } from './decision-world.ts';

describe('producer ids', () => {
  it('are given in blocks that never overlap, to registered incarnations only', () => {
    const world = new DecisionWorld();
    const ask = (id: number) => ({ nodeId: nodeId(id), brokerEpoch: world.broker(id).brokerEpoch });
    const blocks = [1, 2, 1].map((id) => world.commit(decideProducerIds(world.image, ask(id))));
    expect(blocks.map(({ first }) => first)).toEqual([0, 1000, 2000]);
    const stale = { nodeId: nodeId(1), brokerEpoch: brokerEpoch(1) };
    expect(refusal(decideProducerIds(world.image, stale)).code).toBe('STALE_BROKER_EPOCH');
  });
});

describe('the feature level', () => {
  it('rises as far as every node speaks, and never falls', () => {
    const world = new DecisionWorld([1]);
    world.commit(world.register(1, 2, { featureMax: 3 }));
    world.commit(world.register(2, 1, { featureMax: 2 }));
    expect(refusal(decideFeatureLevel(world.image, 3, 5))).toMatchObject({
      code: 'UNSUPPORTED_VERSION',
      facts: { from: 1, to: 2 },
    });
    expect(world.commit(decideFeatureLevel(world.image, 0, 5))).toEqual({ level: 2 });
    expect(world.image.featureLevel).toBe(2);
    expect(refusal(decideFeatureLevel(world.image, 1, 5)).code).toBe('UNSUPPORTED_VERSION');
    expect(decideFeatureLevel(world.image, 0, 5)).toMatchObject({ records: [] });
    expect(refusal(world.register(3, 1)).code).toBe('UNSUPPORTED_VERSION');
  });
});

describe('a cluster', () => {
  it('is formed once', () => {
    const world = new DecisionWorld();
    const again = { clusterId: theCluster, voters: [], featureLevel: 1 };
    expect(decideFormation(world.image, again)).toMatchObject({ records: [] });
    const other = { ...again, clusterId: clusterId(uuid(5)) };
    expect(refusal(decideFormation(world.image, other)).code).toBe('CLUSTER_MISMATCH');
  });

  it('has a voter, and each node once', () => {
    const world = new DecisionWorld();
    const member = (id: number, isLearner = false) => ({
      nodeId: nodeId(id),
      storageId: storageId(uuid(id)),
      host: 'localhost',
      port: 9093,
      isLearner,
    });
    world.commit(decideVoters(world.image, [member(1), member(2, true)], 'added'));
    expect(world.image.voters.length).toBe(2);
    expect(decideVoters(world.image, world.image.voters, 'again')).toMatchObject({ records: [] });
    for (const voters of [[], [member(1, true)], [member(1), member(1)]]) {
      expect(refusal(decideVoters(world.image, voters, 'test')).code).toBe('INVALID_VOTERS');
    }
  });
});

describe('a forwarded request', () => {
  it('is remembered with its change and answered as the first time', () => {
    const world = new DecisionWorld();
    world.createTopic('t');
    const answer = Buffer.from('done');
    world.commit(remembering(decideDeleteTopic(world.image, 't'), 'r-1', answer));
    expect(rememberedAnswer(world.image, 'r-1')).toEqual({
      answer,
      revision: world.image.revision,
    });
    expect(rememberedAnswer(world.image, 'r-2')).toBeUndefined();
    expect(rememberedAnswer(world.image, '')).toBeUndefined();
  });

  it('that was refused, or changed nothing, leaves no memory', () => {
    const world = new DecisionWorld();
    const no = remembering(decideDeleteTopic(world.image, 't'), 'r-1', Buffer.of());
    expect(refusal(no).code).toBe('UNKNOWN_TOPIC');
    const nothing = remembering(decideFeatureLevel(world.image, 0, 1), 'r-2', Buffer.of());
    expect(nothing).toMatchObject({ records: [] });
  });

  it('of an impossible id is refused', () => {
    const world = new DecisionWorld();
    world.createTopic('t');
    const long = remembering(decideDeleteTopic(world.image, 't'), 'x'.repeat(256), Buffer.of());
    expect(refusal(long).code).toBe('INVALID_REQUEST');
  });
});

describe('the flight recorder', () => {
  const at = { wallMs: 1, revision: revision(1) };
  const event = (n: number) =>
    ({
      kind: n % 2 === 0 ? 'isr-changed' : 'leader-elected',
      subject: `t/${n % 3}`,
      reason: 'x',
      evidence: { n },
    }) as const;

  it('is read from any number on, by kind and subject, page by page', () => {
    const journal = new Journal();
    for (let n = 1; n <= 10; n++) journal.append([event(n)], at);
    const read = (query: object) => journal.read({ fromSequence: 0, limit: 100, ...query });
    expect(read({}).events.map(({ sequence }) => sequence)).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
    ]);
    expect(read({ kind: 'isr-changed', subject: 't/1' }).events.map((one) => one.sequence)).toEqual(
      [4, 10],
    );
    const page = read({ fromSequence: 3, limit: 2 });
    expect([page.events.map((one) => one.sequence), page.nextSequence, page.isCaughtUp]).toEqual([
      [3, 4],
      5,
      false,
    ]);
    expect(read({ fromSequence: 11 })).toEqual({ events: [], nextSequence: 11, isCaughtUp: true });
  });

  it('is followed event by event, and taken over anew where the two tell another story', () => {
    const [active, standby] = [new Journal(), new Journal()];
    const all = (journal: Journal) => journal.read({ fromSequence: 0, limit: 100 }).events;
    const follow = (limit: number): void => {
      const fromSequence = standby.nextSequence - 1;
      standby.follow(active.read({ fromSequence, limit }).events);
    };
    for (let n = 1; n <= 10; n++) active.append([event(n)], { wallMs: n, revision: revision(n) });
    for (let page = 0; page < 5; page++) follow(4);
    expect(all(standby)).toEqual(all(active));
    // It goes on with numbers of its own once it records itself.
    standby.append([event(11)], { wallMs: 11, revision: revision(11) });
    expect(all(standby).at(-1)?.sequence).toBe(11);
    active.append([event(12)], { wallMs: 12, revision: revision(12) });
    for (let page = 0; page < 5; page++) follow(4);
    expect(all(standby)).toEqual(all(active));
  });

  it('is taken over with its gap where the other one has dropped its oldest', () => {
    const [active, standby] = [new Journal(10_000), new Journal()];
    for (let n = 1; n <= 500; n++) active.append([event(n)], at);
    standby.follow(active.read({ fromSequence: 0, limit: 500 }).events);
    const kept = active.read({ fromSequence: 0, limit: 500 });
    expect(standby.read({ fromSequence: 0, limit: 500 })).toEqual(kept);
  });

  it('keeps within its bytes and shows what is gone by the numbers', () => {
    const journal = new Journal(10_000);
    for (let n = 1; n <= 5000; n++) journal.append([event(n)], at);
    const { events, isCaughtUp } = journal.read({ fromSequence: 1, limit: 5000 });
    expect(isCaughtUp).toBe(true);
    expect(events.at(-1)?.sequence).toBe(5000);
    expect(events.length).toBeGreaterThan(10);
    expect(events.length).toBeLessThan(62);
    expect(events[0]?.sequence).toBe(5001 - events.length);
  });
});
