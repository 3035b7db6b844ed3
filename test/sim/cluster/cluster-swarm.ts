/**
 * What a seed decides about a whole cluster before anything runs: its shape, how slow things are, what
 * the topics are like, and which faults there are at all. About a quarter of the kinds is left out of
 * each run, since some bugs only show where nothing else disturbs (swarm testing).
 */
import type { Acks } from '../../../proto/model/acks.ts';
import type { SeededRandom } from '../../../proto/ports/memory/seeded-random.ts';
import { drawExtraPlans, drawOddRoles, type ExtraPlans } from './extra-plans.ts';

export const clusterFaultKinds = [
  'kill',
  'kill-leader',
  'power',
  'power-all',
  'pause',
  'pause-leader',
  'cut-both',
  'cut-one-way',
  'isolate',
  'lose-connection',
  'restart',
  'slow-disk',
  'lose-disk',
  'jump-wall',
] as const;
/** With `lose-disks`, which no promise covers. */
export type ClusterFaultKind = (typeof clusterFaultKinds)[number] | 'lose-disks';

export interface TopicPlan {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly config: Readonly<Record<string, string>>;
}

export interface WriterPlan {
  /** One of them is drawn for each send. */
  readonly levels: readonly Acks[];
  readonly everyMs: number;
  readonly valueBytes: number;
}

export interface GroupPlan {
  readonly members: number;
  /** How long the coordinator waits for a silent member. */
  readonly sessionMs: number;
  /** Mean time for which a member lives. */
  readonly lifeMs: number;
}

export interface ClusterSwarm extends ExtraPlans {
  readonly roles: readonly ('broker,controller' | 'broker' | 'controller')[];
  readonly faults: readonly ClusterFaultKind[];
  /** Mean time between two faults. */
  readonly faultEveryMs: number;
  readonly flushMs: number;
  readonly latencyMs: number;
  readonly jitterMs: number;
  readonly sessionMs: number;
  readonly heartbeatMs: number;
  readonly electionMs: number;
  readonly hasSkew: boolean;
  /** What a power loss leaves of the unflushed writes of a file: the first ones, or any. */
  readonly crashMode: 'prefix' | 'random';
  /** How often somebody administers; 0: never. */
  readonly operatorEveryMs: number;
  readonly readers: readonly ('leader' | 'nearest' | number)[];
  readonly topics: readonly TopicPlan[];
  /** Every topic keeps its promises when one replica loses its storage. */
  readonly survivesLostDisk: boolean;
  readonly writers: readonly WriterPlan[];
  readonly groups: readonly GroupPlan[];
  /** More disks are lost than the promises cover. */
  readonly isOverBudget: boolean;
  /** After the faults a majority of the controllers loses its disks, and what is left is recovered. */
  readonly losesQuorum?: boolean;
}

/** With `flush=os` they count as a lost storage, and more than one of them is beyond the promises. */
const lossOfUnflushed: ReadonlySet<ClusterFaultKind> = new Set(['power', 'power-all', 'lose-disk']);

const combined = 'broker,controller' as const;

export function drawClusterSwarm(random: SeededRandom): ClusterSwarm {
  const pick = <Value>(...values: readonly Value[]): Value => {
    const value = values[random.below(values.length)];
    if (value === undefined) throw new Error('there is always something to pick');
    return value;
  };
  const ordinary = pick<ClusterSwarm['roles']>(
    [combined],
    [combined, combined, combined],
    [combined, combined, combined],
    [combined, combined, combined],
    ['controller', 'broker', 'broker', 'broker'],
    ['controller', 'controller', 'controller', 'broker', 'broker', 'broker'],
    [combined, combined, combined, 'broker'],
    [combined, combined, combined, combined, combined],
  );
  const roles = drawOddRoles(random.fork('roles')) ?? ordinary;
  const brokers = roles.filter((role) => role.includes('broker')).length;
  const levels: readonly (readonly Acks[])[] = [
    ['all'],
    ['all'],
    ['semi-sync'],
    ['semi-sync'],
    ['leader'],
    ['all', 'semi-sync'],
    ['all', 'semi-sync', 'leader', 'none'],
  ];
  const topic = (name: string): TopicPlan => {
    const replicationFactor = Math.min(brokers, pick(3, 3, 3, 2, 5));
    return {
      name,
      // With many of them one flush goes into the journal.
      partitions: pick(1, 1, 2, 3, 3, 12),
      replicationFactor,
      config: topicConfig(random, replicationFactor),
    };
  };
  const topics = pick([topic('a')], [topic('a')], [topic('a'), topic('b')]);
  const isUnflushed = topics.some(({ config }) => config['flush'] === 'os');
  return {
    roles,
    faults: clusterFaultKinds.filter(
      (kind) => random.below(4) > 0 && !(isUnflushed && lossOfUnflushed.has(kind)),
    ),
    faultEveryMs: pick(200, 500, 1_000),
    flushMs: pick(0, 1, 1, 8),
    latencyMs: pick(0.2, 1, 5),
    jitterMs: pick(0, 1, 10),
    sessionMs: pick(600, 1_000, 2_000),
    heartbeatMs: pick(100, 250),
    electionMs: pick(300, 500, 1_000),
    hasSkew: pick(true, false),
    crashMode: pick('prefix', 'prefix', 'prefix', 'random'),
    operatorEveryMs: pick(0, 400, 1_500),
    readers: pick(
      [],
      ['leader'],
      ['nearest'],
      ['leader', 'nearest'],
      [1 + random.below(roles.length)],
    ),
    topics,
    survivesLostDisk: topics.every(
      ({ replicationFactor, config }) =>
        replicationFactor > 1 && config['min.insync.replicas'] !== '1',
    ),
    writers: Array.from({ length: pick(1, 2, 3) }, () => ({
      levels: pick(...levels),
      everyMs: pick(15, 40, 80),
      valueBytes: pick(10, 100, 1_000),
    })),
    groups: Array.from({ length: pick(0, 0, 0, 1) }, () => ({
      members: pick(1, 2, 3),
      sessionMs: pick(1_000, 3_000),
      lifeMs: pick(1_000, 4_000),
    })),
    isOverBudget: false,
    ...drawExtraPlans(random, roles),
  };
}

function topicConfig(random: SeededRandom, replicationFactor: number): Record<string, string> {
  const config: Record<string, string> = {
    'replica.lag.time.max.ms': ['300', '1000', '5000'][random.below(3)] ?? '5000',
    'segment.bytes': ['4096', '65536', '134217728'][random.below(3)] ?? '65536',
    'semi.sync.timeout.ms': ['1000', '10000'][random.below(2)] ?? '10000',
  };
  if (random.below(4) === 0) config['semi.sync.on.timeout'] = 'degrade';
  if (random.below(8) === 0) config['flush'] = 'os';
  if (replicationFactor > 1 && random.below(4) === 0) config['min.insync.replicas'] = '1';
  return config;
}
