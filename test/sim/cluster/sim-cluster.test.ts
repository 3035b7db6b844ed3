import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../proto/ports/memory/seeded-random.ts';
import { nodes, state } from '../../proto/metadata/metadata-builders.ts';
import { World } from '../world.ts';
import { drawClusterSwarm } from './cluster-swarm.ts';
import { SimCluster } from './sim-cluster.ts';

describe('a partition without a leader waits for an operator', () => {
  const swarm = drawClusterSwarm(new SeededRandom(1));
  const cluster = new SimCluster(new World(1), swarm);
  const round = { leader: undefined, isr: [], elr: nodes(1), semiSyncMembers: nodes(1, 2, 3) };

  it('when nobody is left in its sets', () => {
    expect(cluster.hasHalted(state([1, 2, 3], { ...round, elr: [] }))).toBe(true);
    expect(cluster.hasHalted(state([1, 2, 3], round))).toBe(false);
  });

  it('when the suspects may be the only ones that have a record of semi-sync', () => {
    const lost = { ...round, semiSyncReplicas: 2 };
    expect(cluster.hasHalted(state([1, 2, 3], { ...lost, suspects: nodes(2) }))).toBe(false);
    expect(cluster.hasHalted(state([1, 2, 3], { ...lost, suspects: nodes(2, 3) }))).toBe(true);
  });

  it('beyond the budget when any holder is lost', () => {
    const beyond = new SimCluster(new World(1), { ...swarm, isOverBudget: true });
    const lost = { ...round, semiSyncReplicas: 2, suspects: nodes(2) };
    expect(beyond.hasHalted(state([1, 2, 3], lost))).toBe(true);
  });
});
