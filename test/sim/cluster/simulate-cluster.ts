/**
 * One run of a whole cluster: production nodes and clients under faults from one seed (safety), then
 * everything is healed and has to come to rest within a bounded virtual time (liveness), then every
 * log is read and compared with what clients were told.
 */
import type { NodeRules } from '../../../broker/main/machine.ts';
import { type RunResult, Violation, World } from '../world.ts';
import { beyondBudget } from './beyond-budget.ts';
import { expectCalm } from './calm.ts';
import { ClusterClients } from './cluster-clients.ts';
import { ClusterFaults } from './cluster-faults.ts';
import { type ClusterSwarm, drawClusterSwarm } from './cluster-swarm.ts';
import { converge, halted } from './convergence.ts';
import { auditReplicas } from './final-audit.ts';
import { loseAndRecoverQuorum } from './lost-quorum.ts';
import { nothingLeftOut, type Reduction, reduceSwarm } from './reduction.ts';
import { SimCluster } from './sim-cluster.ts';
import { watchCluster } from './watched-cluster.ts';

export interface ClusterRunOptions {
  /** Undefined: every rule holds. */
  readonly rules?: NodeRules | undefined;
  /** More disks are lost than the promises cover. */
  readonly isOverBudget?: boolean;
  readonly reduction?: Reduction;
}

const formMs = 40_000;
const safetyMs = 6_000;
/** Every fourth seed goes on until nothing moves any more. */
const calmEvery = 4;

export async function simulateCluster(
  seed: number,
  { rules, isOverBudget = false, reduction = nothingLeftOut }: ClusterRunOptions = {},
): Promise<RunResult> {
  const world = new World(seed);
  const swarm = swarmOf(world, isOverBudget, reduction);
  world.note(JSON.stringify(swarm));
  const cluster = new SimCluster(world, swarm, rules);
  const clients = new ClusterClients(cluster, swarm, watchCluster(cluster, swarm));
  let violation: string | undefined;
  try {
    for (const node of cluster.nodes) node.start();
    await world.time.complete(clients.start(), formMs);
    const faults = new ClusterFaults(cluster, reduction.faults);
    void faults.run();
    await world.time.advance(safetyMs);
    faults.heal();
    if (swarm.losesQuorum === true) await loseAndRecoverQuorum(cluster);
    const mayHalt = (): boolean => isOverBudget || world.reached.has('log-tail-cut');
    await converge(cluster, clients, mayHalt);
    await auditReplicas(cluster, clients);
    if (seed % calmEvery === 0 && !world.reached.has(halted)) await expectCalm(cluster);
  } catch (caught) {
    violation = caught instanceof Violation ? caught.message : describe(caught);
    for (const line of lastWords(cluster)) world.note(line);
  }
  clients.stop();
  world.note(`events ${world.time.executedCount}`);
  return {
    seed,
    swarm,
    violation,
    stamp: world.trace.stamp,
    events: world.time.executedCount,
    virtualMs: world.time.now(),
    acknowledged: clients.ledger.acknowledged,
    reached: world.reached,
    tail: world.trace.tail,
  };
}

function swarmOf(world: World, isOverBudget: boolean, reduction: Reduction): ClusterSwarm {
  const drawn = drawClusterSwarm(world.random.fork('swarm'));
  return reduceSwarm(
    isOverBudget ? beyondBudget(drawn, world.random.fork('beyond budget')) : drawn,
    reduction,
  );
}

function lastWords(cluster: SimCluster): string[] {
  const lines: string[] = [];
  for (const { topic, state } of cluster.partitions()) {
    const { leader, leaderEpoch, isr, elr, suspects, semiSyncMembers, successor } = state;
    const facts = { leader, leaderEpoch, isr, elr, suspects, semiSyncMembers, successor };
    lines.push(`${topic.name}/${state.partition} ${JSON.stringify(facts)}`);
  }
  for (const node of cluster.nodes) {
    lines.push(`n${node.id} ${node.state} ${node.running?.broker?.readiness().join('; ')}`);
    for (const { topicId, partition, state } of node.running?.broker?.replicas() ?? []) {
      const { role, log, watermark, verifiedEpoch, metadata } = state;
      const facts = { role: role.kind, epoch: metadata?.leaderEpoch, verifiedEpoch, watermark };
      lines.push(`  ${topicId}/${partition} ${JSON.stringify({ ...facts, log })}`);
    }
  }
  return lines;
}

function describe(caught: unknown): string {
  return caught instanceof Error ? (caught.stack ?? caught.message) : String(caught);
}
