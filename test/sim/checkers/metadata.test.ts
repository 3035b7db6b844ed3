import { beforeEach, describe, expect, it } from 'vitest';
import { emptyImage, type MetadataImage } from '../../../proto/metadata/image.ts';
import type { PartitionState } from '../../../proto/metadata/records.ts';
import { nodeId, partitionNumber } from '../../../proto/model/ids.ts';
import { leaderEpoch, partitionEpoch, revision } from '../../../proto/model/offset.ts';
import {
  after,
  clusterOf,
  nodes,
  state,
  theTopic,
  topicWith,
} from '../../proto/metadata/metadata-builders.ts';
import { World } from '../world.ts';
import { Metadata, type WatchedNode } from './metadata.ts';

const first = after(clusterOf(1, 2, 3), topicWith(state([1, 2, 3])));

/** The next image, with what no controller would commit. */
function imageWith(change: Partial<PartitionState>): MetadataImage {
  const topic = first.topics.get(theTopic);
  if (topic === undefined) throw new Error('there is a topic');
  const partition = state([1, 2, 3], { partitionEpoch: partitionEpoch(2), ...change });
  const partitions = topic.partitions.set(partitionNumber(0), partition);
  const topics = first.topics.set(theTopic, { ...topic, partitions });
  return { ...first, revision: revision(first.revision + 1), topics };
}

describe('what the controllers commit', () => {
  const shown = new Map<number, MetadataImage>();
  let checker: Metadata;

  const watched = (id: number): WatchedNode => ({
    id: nodeId(id),
    starts: 1,
    get running() {
      const image = shown.get(id);
      return image === undefined ? undefined : { broker: { image }, controller: undefined };
    },
  });
  const show = (node: number, image: MetadataImage): void => {
    shown.set(node, image);
    checker.check();
  };

  beforeEach(() => {
    shown.clear();
    checker = new Metadata(new World(1), { nodes: [watched(1), watched(2)] });
    show(1, first);
  });

  it.each<[string, Partial<PartitionState>]>([
    ['in sync without a replica', { isr: nodes(1, 4) }],
    ['in sync and eligible', { elr: nodes(2) }],
    ['the leader is not in sync', { leader: nodeId(3), isr: nodes(1, 2) }],
    ['a suspect is trusted', { suspects: nodes(2) }],
    ['the epoch goes back', { leaderEpoch: leaderEpoch(0) }],
  ])('%s: a violation (S9, S10)', (what, change) => {
    expect(() => show(1, imageWith(change))).toThrow(what);
  });

  it('is the same everywhere at one revision (S22)', () => {
    show(1, imageWith({ isr: nodes(1, 2) }));
    expect(() => show(2, imageWith({ isr: nodes(1, 3) }))).toThrow('another image');
  });

  it('does not go back on a node (S9)', () => {
    show(1, imageWith({}));
    expect(() => show(1, first)).toThrow('back from revision');
  });

  it('takes a replica from a node, or the topic from all', () => {
    const place = `${theTopic}/0`;
    expect(checker.wasTaken(place, 2, 0)).toBe(false);
    const moved = imageWith({ replicas: nodes(1, 3), isr: nodes(1, 3) });
    show(1, moved);
    expect(checker.wasTaken(place, 2, moved.revision)).toBe(true);
    expect(checker.wasTaken(place, 2, moved.revision + 1)).toBe(false);
    expect(checker.wasTaken(place, 1, 0)).toBe(false);
    show(2, { ...moved, revision: revision(moved.revision + 1), topics: emptyImage.topics });
    expect(checker.wasTaken(place, 1, 0)).toBe(true);
  });

  it('does not lack a topic where somebody has not heard of it yet', () => {
    show(2, { ...first, revision: revision(first.revision - 1), topics: emptyImage.topics });
    expect(checker.wasTaken(`${theTopic}/0`, 2, 0)).toBe(false);
  });

  it('may be anything that fits', () => {
    show(1, imageWith({ isr: nodes(1, 2), elr: nodes(3) }));
    show(2, first);
  });
});

describe('the quorum', () => {
  it('has one leader a term (S19)', () => {
    const hard = { term: 3 };
    const leading = (id: number): WatchedNode =>
      ({
        id: nodeId(id),
        starts: 1,
        running: {
          broker: undefined,
          controller: { image: first, quorum: { state: { role: { kind: 'leader' }, hard } } },
        },
      }) as unknown as WatchedNode;
    const alone = new Metadata(new World(1), { nodes: [leading(1)] });
    expect(() => alone.check()).not.toThrow();
    const both = new Metadata(new World(1), { nodes: [leading(1), leading(2)] });
    expect(() => both.check()).toThrow('election-safety');
  });
});
