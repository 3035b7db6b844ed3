/**
 * What is left out of a run, so that a failing seed becomes a short story: faults by their number, and
 * whole parts of the cluster. Every fault has a source of chance of its own, so that leaving one out
 * does not change the others.
 */
import type { ClusterSwarm, TopicPlan } from './cluster-swarm.ts';

export const reducibleParts = [
  'operator',
  'churn',
  'compacted',
  'voters',
  'bounds',
  'readers',
  'groups',
  'writers',
  'topics',
  'partitions',
  'skew',
  'nodes',
] as const;
export type ReduciblePart = (typeof reducibleParts)[number];

export interface Reduction {
  /** The faults that happen, counted from 1; undefined: all. */
  readonly faults: readonly number[] | undefined;
  /** Of writers, topics, partitions and nodes a few stay. */
  readonly leftOut: readonly ReduciblePart[];
}

/** Everything happens. */
export const nothingLeftOut: Reduction = { faults: undefined, leftOut: [] };

/** The run without the parts that are left out. */
export function reduceSwarm(swarm: ClusterSwarm, { leftOut }: Reduction): ClusterSwarm {
  let reduced = swarm;
  for (const part of leftOut) reduced = { ...reduced, ...without(reduced, part) };
  return reduced;
}

function without(swarm: ClusterSwarm, part: ReduciblePart): Partial<ClusterSwarm> {
  switch (part) {
    case 'operator':
      return { operatorEveryMs: 0 };
    case 'churn':
      return { churn: undefined };
    case 'compacted':
      return { compacted: undefined };
    case 'voters':
      return { voters: undefined };
    case 'bounds':
      return { bounds: undefined };
    case 'readers':
      return { readers: [] };
    case 'groups':
      return { groups: [] };
    case 'writers':
      return { writers: swarm.writers.slice(0, 1) };
    case 'topics':
      return { topics: swarm.topics.slice(0, 1) };
    case 'partitions':
      return { topics: swarm.topics.map((topic) => ({ ...topic, partitions: 1 })) };
    case 'skew':
      return { hasSkew: false };
    case 'nodes':
      return fewerNodes(swarm);
  }
}

/** Three combined nodes at most, or one controller beside three brokers. */
function fewerNodes({ roles, topics, churn, compacted }: ClusterSwarm): Partial<ClusterSwarm> {
  const isSplit = roles.includes('controller');
  const brokers = roles.filter((role) => role !== 'controller').slice(0, 3);
  const fitting = (topic: TopicPlan): TopicPlan => ({
    ...topic,
    replicationFactor: Math.min(topic.replicationFactor, brokers.length),
  });
  return {
    roles: isSplit ? ['controller', ...brokers] : brokers,
    topics: topics.map(fitting),
    churn: churn === undefined ? undefined : { ...churn, topic: fitting(churn.topic) },
    compacted:
      compacted === undefined ? undefined : { ...compacted, topic: fitting(compacted.topic) },
  };
}
