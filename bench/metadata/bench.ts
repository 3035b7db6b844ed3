/**
 * The metadata of a large cluster in one controller: 100,000 partitions on 10 simulated brokers, without
 * a disk and a network between. What grows with the cluster is the image; the figures say how.
 */
import { encodeRecords } from '../../proto/metadata/records.ts';
import { replaySnapshot } from '../../proto/metadata/replay.ts';
import { snapshotRecords } from '../../proto/metadata/snapshot.ts';
import type { Bench, BenchContext, BenchOutcome } from '../harness/bench.ts';
import { ratios } from '../harness/rounds.ts';
import { median } from '../harness/statistics.ts';
import { SimulatedController } from './simulated-controller.ts';

const brokers = 10;
const partitionsPerTopic = 10;
const large = 100_000;
const small = 1_000;
/** Topics whose creation is one sample of the marginal cost. */
const marginalTopics = 100;

export const metadataBench: Bench = {
  name: 'metadata',
  purpose: 'creates and re-elects 100,000 partitions on 10 simulated brokers in one controller',
  goals: [
    {
      key: 'create_partitions_per_s',
      goal: { atLeast: 20_000 },
      meaning: 'from nothing to 100,000, topics of 10 partitions, one change each',
    },
    {
      key: 'reelect_10000_ms',
      goal: { atMost: 1_000 },
      meaning: 'one of 10 brokers lost: all its leaderships moved, and folded by a subscriber',
    },
    {
      key: 'growth_create',
      goal: { atMost: 1.5 },
      meaning: 'cost of 100 topics of 10 partitions with 100,000 present ÷ with 1,000',
    },
    {
      key: 'growth_reelect',
      goal: { atMost: 1.5 },
      meaning: 'cost of moving one leadership with 100,000 present ÷ with 1,000',
    },
  ],
  run: runMetadata,
};

function runMetadata(context: BenchContext): Promise<BenchOutcome> {
  const rounds = context.isQuick ? 5 : 15;
  context.progress('warming up');
  const warm = loseNext(smallClusters());
  for (let i = 0; i < 3; i++) warm();

  context.progress(`creating ${large} partitions`);
  const createRates: number[] = [];
  let controller = filled(0);
  for (let i = 0; i < (context.isQuick ? 2 : 3); i++) {
    const started = performance.now();
    controller = filled(large);
    createRates.push((large / (performance.now() - started)) * 1000);
  }
  controller.publish();

  context.progress('marginal cost of creating');
  const creates = interleaved(rounds, marginalCreate(filled(large)), marginalCreate(filled(small)));

  context.progress('losing brokers');
  const losses = interleaved(rounds, loseNext([controller]), loseNext(smallClusters()));
  context.progress('snapshot');
  const snapshot = measureSnapshot(context, controller);
  if (controller.subscriber.partitionCount !== large) context.invalid('partitions are missing');
  if (controller.image.leaderlessCount !== 0) context.invalid('partitions are left without leader');
  const reelect = losses.large.map((ms) => ms * 10_000);
  return Promise.resolve({
    figures: {
      create_partitions_per_s: median(createRates),
      reelect_10000_ms: median(reelect),
      growth_create: median(ratios(creates.large, creates.small)),
      growth_reelect: median(ratios(losses.large, losses.small)),
      reelect_max_ms: Math.max(...reelect),
      create_100_topics_ms: median(creates.large),
      ...snapshot,
    },
    samples: {
      create_partitions_per_s: createRates,
      reelect_10000_ms: reelect,
      create_100_topics_ms: creates.large,
      create_100_topics_small_ms: creates.small,
      reelect_10000_small_ms: losses.small.map((ms) => ms * 10_000),
    },
    parity: {
      brokers,
      partitions: large,
      partitionsPerTopic,
      replicationFactor: 3,
      included:
        'decide, encode, replay, delta; for elections also promise answers and one subscriber',
      excluded: 'quorum, disk, network, the work of the other brokers',
      processes: 1,
    },
  });
}

function filled(partitions: number): SimulatedController {
  const controller = new SimulatedController(brokers);
  for (let made = 0; made < partitions; made += partitionsPerTopic) {
    controller.createTopic(partitionsPerTopic, (made % 97) / 97);
  }
  return controller;
}

/** Large and small in turn, so that a drift of the machine hits both; the first turn only warms. */
function interleaved(
  rounds: number,
  large: () => number,
  small: () => number,
): { readonly large: number[]; readonly small: number[] } {
  const samples = { large: [] as number[], small: [] as number[] };
  for (let round = 0; round <= rounds; round++) {
    const pair = round % 2 === 0 ? { large: large(), small: small() } : swapped(large, small);
    if (round === 0) continue;
    samples.large.push(pair.large);
    samples.small.push(pair.small);
  }
  return samples;
}

function swapped(large: () => number, small: () => number): { large: number; small: number } {
  const first = small();
  return { large: large(), small: first };
}

/** Milliseconds for 100 more topics on this cluster. */
function marginalCreate(controller: SimulatedController): () => number {
  return () => {
    const started = performance.now();
    for (let i = 0; i < marginalTopics; i++) {
      controller.createTopic(partitionsPerTopic, i / marginalTopics);
    }
    return performance.now() - started;
  };
}

function smallClusters(): SimulatedController[] {
  return Array.from({ length: 10 }, () => filled(small));
}

/**
 * Milliseconds for each leadership that moves when these clusters lose their next broker; it comes back
 * afterwards, and the leaderships stay where they went.
 */
function loseNext(controllers: readonly SimulatedController[]): () => number {
  let round = 0;
  for (const controller of controllers) controller.publish();
  return () => {
    let ms = 0;
    let moved = 0;
    const id = (round % brokers) + 1;
    round++;
    for (const controller of controllers) {
      const loss = controller.loseBroker(id);
      ms += loss.ms;
      moved += loss.moved;
      controller.startBroker(id, round + 1);
      controller.publish();
    }
    return ms / moved;
  };
}

function measureSnapshot(
  context: BenchContext,
  controller: SimulatedController,
): Record<string, number> {
  const writing = performance.now();
  const records = [...snapshotRecords(controller.image)];
  const bytes = encodeRecords(records);
  const written = performance.now();
  globalThis.gc?.();
  const heapBefore = process.memoryUsage().heapUsed;
  const { image, refused } = replaySnapshot(controller.image.revision, records);
  const read = performance.now();
  globalThis.gc?.();
  const heapBytes = process.memoryUsage().heapUsed - heapBefore;
  if (refused !== undefined || image.partitionCount !== controller.image.partitionCount) {
    context.invalid('the snapshot does not rebuild the image');
  }
  return {
    snapshot_MB: bytes.length / 1e6,
    snapshot_write_ms: written - writing,
    snapshot_read_ms: read - written,
    image_heap_MB: heapBytes / 1e6,
  };
}
