/**
 * Runs that lose more than the promises cover: several disks at once, any number of times. Nothing that
 * was acknowledged need survive that. But a partition that may have lost some of it waits, and somebody
 * says so: it never goes on with a shorter log as if it were whole.
 *
 * The controllers keep their disks: what they know is what a loss is recognised by.
 */
import type { ClusterFaultKind, ClusterSwarm } from './cluster-swarm.ts';

const losses: readonly ClusterFaultKind[] = ['lose-disk', 'lose-disk', 'lose-disks', 'power-all'];

export function beyondBudget(swarm: ClusterSwarm): ClusterSwarm {
  const brokers = 3;
  return {
    ...swarm,
    roles: ['controller', 'broker', 'broker', 'broker'],
    faults: [...swarm.faults, ...losses],
    isOverBudget: true,
    survivesLostDisk: true,
    topics: swarm.topics.map((topic) => ({
      ...topic,
      replicationFactor: Math.min(topic.replicationFactor, brokers),
    })),
    // They may wait for ever, as every partition may.
    groups: [],
    churn: undefined,
    voters: undefined,
    compacted: undefined,
    readers: swarm.readers.map((from) => (typeof from === 'number' ? 'nearest' : from)),
  };
}
