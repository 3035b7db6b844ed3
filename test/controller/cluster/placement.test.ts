import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { placeReplicas } from '../../../controller/cluster/core/placement.ts';
import type { BrokerImage, MetadataImage } from '../../../proto/metadata/image.ts';
import { nodeId } from '../../../proto/model/ids.ts';
import { DecisionWorld } from './decision-world.ts';

/** A cluster whose brokers are in these racks. */
function racks(names: readonly string[]): MetadataImage {
  const { image } = new DecisionWorld(names.map((_, i) => i + 1));
  let { brokers } = image;
  for (const [i, rack] of names.entries()) {
    const broker = brokers.get(nodeId(i + 1)) as BrokerImage;
    brokers = brokers.set(nodeId(i + 1), { ...broker, rack });
  }
  return { ...image, brokers };
}

const layouts = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 9 });

describe('placement', () => {
  it('spreads leaders and replicas over the brokers, each partition over distinct ones', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 60 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (brokers, factor, partitions, random) => {
          const replicationFactor = Math.min(factor, brokers);
          const image = racks(Array.from({ length: brokers }, (_, i) => `rack-${i}`));
          const placed = placeReplicas(image, {
            partitions,
            replicationFactor,
            existing: [],
            random,
          });
          const leaders = new Map<number, number>();
          const replicas = new Map<number, number>();
          for (const list of placed) {
            expect(new Set(list).size).toBe(replicationFactor);
            leaders.set(list[0] ?? 0, (leaders.get(list[0] ?? 0) ?? 0) + 1);
            for (const node of list) replicas.set(node, (replicas.get(node) ?? 0) + 1);
          }
          const spread = (counts: Map<number, number>): number => {
            const all = Array.from({ length: brokers }, (_, i) => counts.get(i + 1) ?? 0);
            return Math.max(...all) - Math.min(...all);
          };
          expect(spread(leaders)).toBeLessThanOrEqual(1);
          expect(spread(replicas)).toBeLessThanOrEqual(2);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('puts the replicas of a partition into as many racks as can be', () => {
    fc.assert(
      fc.property(layouts, fc.integer({ min: 1, max: 5 }), (names, factor) => {
        const replicationFactor = Math.min(factor, names.length);
        const placed = placeReplicas(racks(names), {
          partitions: 12,
          replicationFactor,
          existing: [],
          random: 0.3,
        });
        const most = Math.min(replicationFactor, new Set(names).size);
        for (const list of placed) {
          expect(new Set(list.map((node) => names[node - 1])).size).toBe(most);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('gives a broker that has just joined its share of a topic and not all of it', () => {
    const world = new DecisionWorld([1, 2, 3]);
    world.createTopic('old', { partitions: 30, replicationFactor: 3 });
    world.commit(world.register(4, 1));
    world.heartbeat(4);
    const topic = world.createTopic('fresh', { partitions: 8, replicationFactor: 3 });
    const lists = [...topic.partitions.values()].map(({ replicas }) => replicas);
    expect(lists.filter((list) => list[0] === 4).length).toBe(2);
    expect(lists.filter((list) => list.includes(nodeId(4))).length).toBe(6);
    const alone = world.createTopic('alone', { partitions: 1, replicationFactor: 1 });
    expect([...alone.partitions.values()][0]?.leader).toBe(4);
  });

  it('is the same for the same chance, and turns with it', () => {
    const image = racks(['a', 'b', 'c', 'd']);
    const request = { partitions: 4, replicationFactor: 2, existing: [] };
    const at = (random: number) => placeReplicas(image, { ...request, random });
    expect(at(0.1)).toEqual(at(0.1));
    expect(new Set([0, 0.25, 0.5, 0.75].map((random) => at(random)[0]?.[0])).size).toBe(4);
  });
});
