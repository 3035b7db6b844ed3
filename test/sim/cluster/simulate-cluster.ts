/**
 * One run of a whole cluster: production nodes and clients under faults from one seed (safety), then
 * everything is healed and has to come to rest within a bounded virtual time (liveness), then every
 * log is read and compared with what clients were told.
 */
import type { NodeRules } from '../../../broker/main/machine.ts';
import { CommittedRecords } from '../checkers/committed-records.ts';
import { Metadata } from '../checkers/metadata.ts';
import { OneLeader } from '../checkers/one-leader.ts';
import { PromisedRecords } from '../checkers/promised-records.ts';
import { Watermark } from '../checkers/watermark.ts';
import { type RunResult, Violation, World } from '../world.ts';
import { ClusterClients } from './cluster-clients.ts';
import { ClusterFaults } from './cluster-faults.ts';
import { drawClusterSwarm } from './cluster-swarm.ts';
import { converge } from './convergence.ts';
import { auditReplicas } from './final-audit.ts';
import { ReplicaWatch } from './replica-watch.ts';
import { SimCluster } from './sim-cluster.ts';

const formMs = 40_000;
const safetyMs = 6_000;

export async function simulateCluster(seed: number, rules?: NodeRules): Promise<RunResult> {
  const world = new World(seed);
  const swarm = drawClusterSwarm(world.random.fork('swarm'));
  world.note(JSON.stringify(swarm));
  const cluster = new SimCluster(world, swarm, rules);
  const committed = new CommittedRecords(world);
  const promised = new PromisedRecords();
  const watch = new ReplicaWatch(cluster, (self) => [
    new OneLeader(world),
    new Watermark(self),
    committed,
    promised,
  ]);
  world.watch(watch, new Metadata(world, cluster));
  const clients = new ClusterClients(cluster, swarm, { committed, promised });
  let violation: string | undefined;
  try {
    for (const node of cluster.nodes) node.start();
    await world.time.complete(clients.start(), formMs);
    const faults = new ClusterFaults(cluster, swarm);
    void faults.run();
    await world.time.advance(safetyMs);
    faults.heal();
    const isDamaged = world.reached.has('log-tail-cut');
    await converge(cluster, clients, isDamaged);
    await auditReplicas(cluster, clients);
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
