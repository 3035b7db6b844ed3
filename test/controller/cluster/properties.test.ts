import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deltaBetween } from '../../../proto/metadata/delta.ts';
import { emptyImage, type MetadataImage } from '../../../proto/metadata/image.ts';
import { decodeRecords, encodeRecords } from '../../../proto/metadata/records.ts';
import { replay, replaySnapshot } from '../../../proto/metadata/replay.ts';
import { snapshotRecords } from '../../../proto/metadata/snapshot.ts';
import { revision } from '../../../proto/model/offset.ts';
import { DecisionWorld } from './decision-world.ts';
import { InvariantChecker } from './invariants.ts';
import { type Draw, decideDraw, draws } from './random-cluster.ts';

const histories = fc.array(draws, { minLength: 30, maxLength: 160, size: 'max' });

/** Runs a history; `visit` sees every image and the change that led to it. */
function run(
  history: readonly Draw[],
  visit: (world: DecisionWorld, before: MetadataImage) => void,
): DecisionWorld {
  const world = new DecisionWorld([1, 2, 3, 4], {
    movesMax: 3,
    reassignmentsMax: 2,
    balanceMs: 500,
  });
  world.createTopic('orders', { partitions: 2, replicationFactor: 3 });
  for (const [step, draw] of history.entries()) {
    const before = world.image;
    const outcome = decideDraw(world, draw, step);
    if (outcome?.kind === 'decided') world.commit(outcome);
    visit(world, before);
    const settled = world.image;
    if (outcome === undefined) {
      world.settle();
      visit(world, settled);
    }
  }
  return world;
}

/** Everything that an image says, in plain values. */
function plain(image: MetadataImage) {
  const { requests, hosting, ...rest } = image;
  return {
    ...rest,
    brokers: [...image.brokers.entries()],
    topics: [...image.topics.values()].map((topic) => ({
      ...topic,
      partitions: [...topic.partitions.values()],
    })),
    topicIds: [...image.topicIds.entries()],
    hosting: [...hosting.entries()].map(([node, one]) => [
      node,
      { ...one, topics: [...one.topics.entries()] },
    ]),
    requests: [...requests.order.values()].map((id) => [id, requests.byId.get(id)]),
  };
}

describe('any history of requests, possible or not', () => {
  it('keeps the sets and the epochs of every partition true (S9, S10)', () => {
    const reached = new Map<string, number>();
    fc.assert(
      fc.property(histories, (history) => {
        const checker = new InvariantChecker();
        const world = run(history, ({ image }) => checker.check(image));
        for (const { kind } of world.events) reached.set(kind, (reached.get(kind) ?? 0) + 1);
        for (const topic of world.image.topics.values()) {
          for (const {
            elr,
            lastKnownElr,
            suspects,
            semiSyncMembers,
          } of topic.partitions.values()) {
            if (elr.length > 0) reached.set('elr', 1);
            if (lastKnownElr.length > 0) reached.set('last known elr', 1);
            if (suspects.length > 0) reached.set('suspects', 1);
            if (semiSyncMembers.length > 0) reached.set('semi-sync members', 1);
          }
        }
      }),
      { numRuns: 250 },
    );
    // A run that never gets anywhere shows nothing.
    const expected = [
      'leader-elected',
      'unclean-election',
      'isr-changed',
      'semi-sync-changed',
      'hand-over-asked',
      'round-opened',
      'reassignment-advanced',
      'broker-fenced',
      'broker-removed',
      'elr',
      'last known elr',
      'suspects',
      'semi-sync members',
    ];
    expect(expected.filter((kind) => !reached.has(kind))).toEqual([]);
  });

  it('is rebuilt by a snapshot, through bytes', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const { image } = run(history, () => undefined);
        const records = decodeRecords(encodeRecords([...snapshotRecords(image)]));
        const rebuilt = replaySnapshot(image.revision, records);
        expect(rebuilt.refused).toBeUndefined();
        expect(plain(rebuilt.image)).toEqual(plain(image));
      }),
      { numRuns: 100 },
    );
  });

  it('is followed by deltas from any revision to any later one', () => {
    fc.assert(
      fc.property(histories, fc.nat(), (history, pick) => {
        const images: MetadataImage[] = [emptyImage];
        run(history, ({ image }) => {
          if (images.at(-1) !== image) images.push(image);
        });
        const from = images[pick % images.length] ?? emptyImage;
        const to = images.at(-1) ?? emptyImage;
        const twin = plainTwin(from);
        const delta = deltaBetween(from, to);
        for (const broker of delta.brokers) twin.brokers.set(broker.nodeId, broker);
        for (const node of delta.removedBrokers) twin.brokers.delete(node);
        for (const topicId of delta.deletedTopics) twin.topics.delete(topicId);
        for (const { topic, partitions } of delta.topics) {
          const held = twin.topics.get(topic.topicId) ?? {
            config: topic.config,
            partitions: new Map(),
          };
          for (const { after } of partitions) held.partitions.set(after.partition, after);
          twin.topics.set(topic.topicId, { ...held, config: topic.config });
        }
        expect(twin).toEqual(plainTwin(to));
        expect([delta.from, delta.to]).toEqual([from.revision, to.revision]);
      }),
      { numRuns: 100 },
    );
  });

  it('leaves no record of what is refused, and the same records for the same request', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const world = new DecisionWorld([1, 2, 3, 4]);
        world.createTopic('orders', { partitions: 2, replicationFactor: 3 });
        for (const [step, draw] of history.entries()) {
          const nowMs = world.nowMs;
          const outcome = decideDraw(world, draw, step);
          world.nowMs = nowMs;
          const again = decideDraw(world, draw, step);
          if (outcome?.kind === 'refused') expect('records' in outcome).toBe(false);
          if (outcome?.kind !== 'decided' || again?.kind !== 'decided') {
            expect(again?.kind).toBe(outcome?.kind);
            continue;
          }
          expect(again.records).toEqual(outcome.records);
          world.commit(outcome);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('means the same after the records went through bytes', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const world = new DecisionWorld([1, 2, 3, 4]);
        let twin = world.image;
        for (const [step, draw] of history.entries()) {
          const outcome = decideDraw(world, draw, step);
          if (outcome?.kind !== 'decided') continue;
          if (outcome.records.length > 0) {
            const records = decodeRecords(encodeRecords(outcome.records));
            twin = replay(twin, revision(twin.revision + 1), records).image;
          }
          world.commit(outcome);
        }
        expect(plain(twin)).toEqual(plain(world.image));
      }),
      { numRuns: 60 },
    );
  });
});

function plainTwin(image: MetadataImage) {
  return {
    brokers: new Map(image.brokers.entries()),
    topics: new Map(
      [...image.topics.entries()].map(([id, { config, partitions }]) => [
        id,
        { config, partitions: new Map<number, unknown>(partitions.entries()) },
      ]),
    ),
  };
}
