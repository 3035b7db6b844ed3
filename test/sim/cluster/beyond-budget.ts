/**
 * Runs that lose more than the promises cover: several disks at once, any number of times. Nothing that
 * was acknowledged need survive that. But a partition that may have lost some of it waits, and somebody
 * says so: it never goes on with a shorter log as if it were whole.
 *
 * While brokers lose theirs, the controllers keep their disks: what they know is what a loss is recognised by.
 */
import type { SeededRandom } from '../../../proto/ports/memory/seeded-random.ts';
import type { ClusterFaultKind, ClusterSwarm } from './cluster-swarm.ts';

const losses: readonly ClusterFaultKind[] = ['lose-disk', 'lose-disk', 'lose-disks', 'power-all'];

/** In every third run it is the controllers that lose theirs instead, and the brokers that lose nothing. */
export function beyondBudget(swarm: ClusterSwarm, random: SeededRandom): ClusterSwarm {
  const brokers = 3;
  const losesQuorum = random.below(3) === 0;
  const controllers = Array<'controller'>(losesQuorum ? 3 : 1).fill('controller');
  return {
    ...swarm,
    roles: [...controllers, 'broker', 'broker', 'broker'],
    faults: losesQuorum
      ? swarm.faults.filter((kind) => kind !== 'lose-disk')
      : [...swarm.faults, ...losses],
    ...(losesQuorum ? { losesQuorum } : {}),
    isOverBudget: true,
    survivesLostDisk: swarm.topics.every(({ replicationFactor }) => replicationFactor > 1),
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
