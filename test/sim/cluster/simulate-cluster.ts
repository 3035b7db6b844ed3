/**
 * One run of a whole cluster: production nodes and clients under faults from one seed (safety), then
 * everything is healed and has to come to rest within a bounded virtual time (liveness), then every
 * log is read and compared with what clients were told.
 */
import { openClient } from '../../../client/client.ts';
import { HighwaterError } from '../../../proto/model/errors.ts';
import { CommittedRecords } from '../checkers/committed-records.ts';
import { Metadata } from '../checkers/metadata.ts';
import { OneLeader } from '../checkers/one-leader.ts';
import { Watermark } from '../checkers/watermark.ts';
import { type RunResult, Violation, World } from '../world.ts';
import { ClusterFaults } from './cluster-faults.ts';
import { type ClusterSwarm, drawClusterSwarm } from './cluster-swarm.ts';
import { auditReplicas } from './final-audit.ts';
import { Ledger } from './ledger.ts';
import { ReplicaWatch } from './replica-watch.ts';
import { hasHalted, isHealthy, SimCluster } from './sim-cluster.ts';
import { SimWriter } from './sim-writer.ts';

const formMs = 30_000;
const safetyMs = 10_000;
const convergeMs = 60_000;

export async function simulateCluster(seed: number): Promise<RunResult> {
  const world = new World(seed);
  const swarm = drawClusterSwarm(world.random.fork('swarm'));
  world.note(JSON.stringify(swarm));
  const cluster = new SimCluster(world, swarm);
  const ledger = new Ledger();
  world.watch(
    new ReplicaWatch(cluster, (watch) => [
      new OneLeader(world),
      new Watermark(watch),
      new CommittedRecords(world),
    ]),
  );
  world.watch(new Metadata(world, cluster));
  const writers = swarm.writers.map(
    (plan, index) =>
      new SimWriter(cluster, {
        number: index + 1,
        plan,
        ledger,
        targets: swarm.topics.map(({ name, partitions }) => ({ topic: name, partitions })),
      }),
  );
  let violation: string | undefined;
  try {
    for (const node of cluster.nodes) node.start();
    await world.time.complete(createTopics(cluster, swarm), formMs);
    for (const writer of writers) void writer.run();
    const faults = new ClusterFaults(cluster, swarm);
    void faults.run();
    await world.time.advance(safetyMs);
    faults.heal();
    const isDamaged = [...world.reached.keys()].some((what) => what.startsWith('log-tail-cut'));
    await converge(cluster, writers, isDamaged);
    await auditReplicas(cluster, ledger);
  } catch (caught) {
    violation = caught instanceof Violation ? caught.message : describe(caught);
    for (const line of lastWords(cluster)) world.note(line);
  }
  for (const writer of writers) writer.stop();
  world.note(`events ${world.time.executedCount}`);
  return {
    seed,
    swarm,
    violation,
    stamp: world.trace.stamp,
    events: world.time.executedCount,
    virtualMs: world.time.now(),
    acknowledged: ledger.acknowledged,
    reached: world.reached,
    tail: world.trace.tail,
  };
}

/** A client that waits for the cluster to be formed, and makes the topics. */
async function createTopics(cluster: SimCluster, swarm: ClusterSwarm): Promise<void> {
  const client = await openClient(cluster.clientMachine('founder'), {
    brokers: cluster.addresses,
    connectTimeoutMs: formMs,
  });
  for (const topic of swarm.topics) {
    for (;;) {
      try {
        await client.admin.createTopic(topic);
        break;
      } catch (caught) {
        const { code, message } = HighwaterError.from(caught);
        cluster.world.note(`topic refused: ${code} ${message}`);
        if (code === 'TOPIC_EXISTS') break;
        await cluster.world.sleep(100);
      }
    }
  }
  await client.close();
}

/**
 * `mayHalt`: unflushed writes reached a disk in another order, which cannot be told from damage. So all
 * that is left of a partition may be suspect, and then it waits for an operator.
 */
async function converge(
  cluster: SimCluster,
  writers: readonly SimWriter[],
  mayHalt: boolean,
): Promise<void> {
  const { world } = cluster;
  await expectWithin(cluster, 'every node serves', () =>
    cluster.nodes.every(
      ({ running }) => running !== undefined && (running.broker?.readiness().length ?? 0) === 0,
    ),
  );
  await expectWithin(cluster, 'every partition is led by a full in-sync set', () =>
    cluster.partitions().every((one) => isHealthy(one.state) || (mayHalt && hasHalted(one.state))),
  );
  if (cluster.partitions().some(({ state }) => hasHalted(state))) {
    world.reach('halted: only suspects are left');
    for (const writer of writers) writer.stop();
    return;
  }
  for (const writer of writers) writer.stop();
  await expectWithin(cluster, 'every send is answered', () =>
    writers.every((writer) => writer.underWay === 0),
  );
  const probes = writers.map((writer) => writer.probe());
  const answers = await world.time.complete(Promise.all(probes), convergeMs);
  if (!answers.every(Boolean)) throw new Violation('liveness', 'a healed cluster refuses a write');
  await expectWithin(cluster, 'every replica has everything', () => isLevel(cluster));
}

/** All replicas have stored and committed all that their leader has. */
function isLevel(cluster: SimCluster): boolean {
  const ends = new Map<string, number>();
  for (const { running } of cluster.nodes) {
    for (const { topicId, partition, state } of running?.broker?.replicas() ?? []) {
      const place = `${topicId}/${partition}`;
      const end = ends.get(place) ?? state.log.end;
      ends.set(place, end);
      if (state.log.end !== end || state.log.stored !== end || state.watermark !== end)
        return false;
    }
  }
  return true;
}

async function expectWithin(
  { world }: SimCluster,
  what: string,
  holds: () => boolean,
): Promise<void> {
  if (await world.time.runUntil(holds, convergeMs)) return;
  throw new Violation('liveness', `not within ${convergeMs} virtual ms: ${what}`);
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
