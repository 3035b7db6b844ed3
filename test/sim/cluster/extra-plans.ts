/**
 * What only some seeds do besides. Each is drawn from a source of its own, named after it, so that the
 * seeds without it stay what they were.
 */
import type { LogLimits } from '../../../broker/log/log-config.ts';
import type { SeededRandom } from '../../../proto/ports/memory/seeded-random.ts';
import type { TopicPlan, WriterPlan } from './cluster-swarm.ts';

/** A topic that is deleted and made again under its name, again and again, while it is written. */
export interface ChurnPlan {
  readonly topic: TopicPlan;
  readonly writer: WriterPlan;
  /** Mean time for which the topic lives. */
  readonly lifeMs: number;
  /** Mean time until it is there again. */
  readonly goneMs: number;
}

/** A topic of which only the newest record of each key is kept, written with few keys. */
export interface CompactedPlan {
  readonly topic: TopicPlan;
  readonly writer: WriterPlan;
  readonly keys: number;
  /** How often brokers look for something to compact. */
  readonly checkMs: number;
}

/** The voters of the controllers are removed and added again. */
export interface VotersPlan {
  /** Mean time between two changes. */
  readonly everyMs: number;
}

/** Bounds of the logs at which something else happens than usual, so small that they are reached. */
export type BoundsPlan = Partial<LogLimits>;

export interface ExtraPlans {
  readonly churn?: ChurnPlan | undefined;
  readonly voters?: VotersPlan | undefined;
  readonly compacted?: CompactedPlan | undefined;
  readonly bounds?: BoundsPlan | undefined;
}

/** The roles of the nodes, as in the swarm. */
type Roles = readonly ('broker,controller' | 'broker' | 'controller')[];

export function drawExtraPlans(random: SeededRandom, roles: Roles): ExtraPlans {
  const brokers = roles.filter((role) => role.includes('broker')).length;
  const controllers = roles.filter((role) => role.includes('controller')).length;
  return {
    churn: drawChurn(random.fork('churn'), brokers),
    voters: controllers < 2 ? undefined : drawVoters(random.fork('voters')),
    compacted: drawCompacted(random.fork('compacted'), brokers),
    bounds: drawBounds(random.fork('bounds')),
  };
}

/** Now and then a shape that costs too much time, or is too odd, for every run; undefined: an ordinary one. */
export function drawOddRoles(random: SeededRandom): Roles | undefined {
  if (random.below(16) > 0) return undefined;
  const both = 'broker,controller';
  const shapes: readonly Roles[] = [
    [both, both],
    [both, both, both, both],
    [both, both, both, both, both, 'broker', 'broker'],
    ['controller', 'controller', 'broker', 'broker', 'broker', 'broker'],
    [
      'controller',
      'controller',
      'controller',
      'controller',
      'controller',
      'broker',
      'broker',
      'broker',
    ],
  ];
  return shapes[random.below(shapes.length)];
}

function drawCompacted(random: SeededRandom, brokers: number): CompactedPlan | undefined {
  if (random.below(6) > 0) return undefined;
  return {
    topic: {
      name: 'compacted',
      partitions: 1 + random.below(2),
      replicationFactor: Math.min(brokers, 3),
      config: {
        'cleanup.policy': 'compact',
        'segment.bytes': '4096',
        'min.cleanable.dirty.ratio': '0.1',
      },
    },
    writer: {
      levels: random.below(2) === 0 ? ['all'] : ['all', 'semi-sync', 'leader'],
      everyMs: 20 + random.below(40),
      valueBytes: 400,
    },
    keys: 1 + random.below(8),
    checkMs: 200 + random.below(600),
  };
}

function drawVoters(random: SeededRandom): VotersPlan | undefined {
  return random.below(5) > 0 ? undefined : { everyMs: 200 + random.below(1_200) };
}

function drawChurn(random: SeededRandom, brokers: number): ChurnPlan | undefined {
  if (random.below(5) > 0) return undefined;
  return {
    topic: {
      name: 'comes-and-goes',
      partitions: 1 + random.below(3),
      replicationFactor: Math.min(brokers, 2 + random.below(2)),
      config: { 'segment.bytes': '4096' },
    },
    writer: {
      levels: random.below(2) === 0 ? ['all'] : ['all', 'semi-sync', 'leader', 'none'],
      everyMs: 20 + random.below(60),
      valueBytes: 200,
    },
    lifeMs: 100 + random.below(900),
    goneMs: 1 + random.below(300),
  };
}

/** About half of them: what one bound brings about is often hidden by another. */
function drawBounds(random: SeededRandom): BoundsPlan | undefined {
  if (random.below(4) > 0) return undefined;
  const tight: BoundsPlan = {
    tailCacheBytes: 0,
    writeBytesMax: 2_048,
    readBuffersBytesMax: 8_192,
    unstoredBytesPerLogMax: 131_072,
    idleHandlesMax: 1,
    journalFileBytes: 65_536,
    checkpointMs: 50 + random.below(500),
    compactionCheckMs: 100,
  };
  return Object.fromEntries(Object.entries(tight).filter(() => random.below(2) === 0));
}
