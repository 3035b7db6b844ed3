/**
 * Liveness: a cluster in which everything works again comes to rest within a bounded virtual time. All
 * partitions are led by full in-sync sets, every send is answered, a write goes through everywhere,
 * every replica has everything, readers have read it, and then nothing moves any more.
 */
import { Violation } from '../world.ts';
import type { ClusterClients } from './cluster-clients.ts';
import { isHealthy, type SimCluster } from './sim-cluster.ts';

const convergeMs = 60_000;
/** What has to hold is looked for this often: it takes a look at everything. */
const lookEveryMs = 10;

/** Reached when a partition waits for an operator. */
export const halted = 'halted: only suspects are left';

/**
 * `mayHalt`: unflushed writes reached a disk in another order, which cannot be told from damage. So all
 * that is left of a partition may be suspect, and then it waits for an operator. That is known once every
 * node has started again, and those that were without power do so only now.
 */
export async function converge(
  cluster: SimCluster,
  clients: ClusterClients,
  mayHalt: () => boolean,
): Promise<void> {
  const { world } = cluster;
  const { readers, groups, operator, churn, voters, compacted } = clients;
  const probing = clients.writers;
  const writers = compacted === undefined ? probing : [...probing, compacted.writer];
  operator.stop();
  churn?.calm();
  voters?.stop();
  for (const group of groups) group.calm();
  await expectWithin(cluster, 'every node serves', () =>
    cluster.nodes.every(
      ({ running, state }) =>
        state === 'up' && running !== undefined && (running.broker?.readiness().length ?? 0) === 0,
    ),
  );
  await expectWithin(cluster, 'every partition is led by a full in-sync set', () =>
    cluster
      .partitions()
      .every((one) => isHealthy(one.state) || (mayHalt() && cluster.hasHalted(one.state))),
  );
  await expectWithin(cluster, 'every writer has found the cluster', () =>
    writers.every((writer) => writer.isConnected),
  );
  for (const writer of writers) writer.stop();
  if (cluster.partitions().some(({ state }) => cluster.hasHalted(state))) {
    world.reach(halted);
    await expectWithin(cluster, 'somebody says that a partition waits', () =>
      world.reached.has('round-waiting'),
    );
    await expectWithin(cluster, 'what has not halted is level', () => isLevel(cluster));
    return;
  }
  await expectWithin(cluster, 'every send is answered', () =>
    writers.every((writer) => writer.underWay === 0),
  );
  await expectWithin(cluster, 'a writer holds nothing of what was answered', () =>
    writers.every((writer) => writer.bufferedBytes === 0),
  );
  await expectWithin(
    cluster,
    'the topic that comes and goes stays, and no replica of a deleted one is hosted',
    () => (churn?.isSettled ?? true) && !hostsDeleted(cluster),
  );
  const probes = probing.map((writer) => writer.probe());
  const answers = await world.time.complete(Promise.all(probes), convergeMs);
  if (!answers.every(Boolean)) throw new Violation('liveness', 'a healed cluster refuses a write');
  await expectWithin(cluster, 'every replica has everything', () => isLevel(cluster));
  await expectWithin(cluster, 'every reader has read everything', () =>
    readers.every((reader) => reader.isLevel),
  );
  await expectWithin(cluster, 'every group has handled everything', () =>
    groups.every((group) => group.isLevel),
  );
  for (const group of groups) await world.time.complete(group.auditCommits(), convergeMs);
}

/** All replicas of what has not halted have stored and committed all that their leader has. */
function isLevel(cluster: SimCluster): boolean {
  return cluster
    .partitions()
    .filter(({ state }) => !cluster.hasHalted(state))
    .every(({ topic, state }) => {
      const replicas = state.replicas.map(
        (node) => cluster.replica(node, topic.topicId, state.partition)?.state,
      );
      const leader = replicas.find((replica) => replica?.role.kind === 'leader');
      return replicas.every(
        (replica) =>
          leader !== undefined &&
          replica?.log.end === leader.log.end &&
          replica.log.stored === leader.log.end &&
          replica.watermark === leader.log.end,
      );
    });
}

function hostsDeleted({ brokers, image }: SimCluster): boolean {
  return brokers.some(({ running }) => {
    for (const { topicId } of running?.broker?.replicas() ?? [])
      if (!image.topics.has(topicId)) return true;
    return false;
  });
}

async function expectWithin(
  { world }: SimCluster,
  what: string,
  holds: () => boolean,
): Promise<void> {
  const deadlineMs = world.time.now() + convergeMs;
  while (!holds()) {
    if (world.time.now() > deadlineMs)
      throw new Violation('liveness', `not within ${convergeMs} virtual ms: ${what}`);
    await world.time.advance(lookEveryMs);
  }
}
