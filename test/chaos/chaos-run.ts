/**
 * One run: real processes behind proxies, on a disk that forgets what was not flushed; clients of three
 * levels; faults from a seed; then everything heals, every replica is read to its end, the nodes stop, the
 * history is judged and the files are audited.
 */
import { join } from 'node:path';
import { readReplica as readServed, until } from '../../broker/main/fleet/cluster-view.ts';
import { type Acks, type Client, connect } from '../../client/index.ts';
import { SeededRandom } from '../../proto/ports/memory/seeded-random.ts';
import { ProcessCluster } from '../support/process-cluster.ts';
import { auditReplicas } from './audit/audit-replicas.ts';
import { readReplica } from './audit/read-replica.ts';
import { faults, whole } from './faults.ts';
import type { Anomaly, AnomalyName } from './history/anomaly.ts';
import { type Judgement, judgeHistory, whyVacuous } from './history/judge-history.ts';
import type { Operation, Send } from './history/operation.ts';
import { ChaosProducer, ChaosReader, partitionName } from './workload.ts';

export interface ChaosOptions {
  readonly seed: string;
  readonly minutes: number;
  readonly tell: (line: string) => void;
}

export interface ChaosVerdict {
  readonly judgement: Judgement;
  /** Everything that is wrong, a sentence each; empty for a run that passed. */
  readonly faults: readonly string[];
  /** How often each kind of fault happened. */
  readonly fired: ReadonlyMap<string, number>;
}

const nodes = 3;
const partitions = 2;
const everyMs = 5;
const faultMsMax = 3_000;
const levels: readonly Acks[] = ['all', 'semi-sync', 'leader'];
/** A record acknowledged by the leader alone may go with it, and its offset be given to another. */
const allowedAtLeader: readonly AnomalyName[] = [
  'lost-write',
  'unseen',
  'inconsistent-offsets',
  'poll-skip',
  'nonmonotonic-poll',
  'nonmonotonic-send',
  'realtime-order',
  'lost-on-node',
];

export async function runChaos({ seed, minutes, tell }: ChaosOptions): Promise<ChaosVerdict> {
  const cluster = await ProcessCluster.start({ nodes, hasProxies: true, disk: 'lossy' });
  const history: Operation[] = [];
  try {
    const client = await connect({ brokers: cluster.brokers });
    const topicIds = await createTopics(client);
    await whole(client, nodes);
    const clients = await startClients(cluster, (operation) => history.push(operation));
    const fired = await strike({ cluster, client, random: new SeededRandom(seed) }, minutes, tell);
    tell('healing');
    cluster.network.heal();
    await whole(client, nodes);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await Promise.all(clients.producers.map((one) => one.stop()));
    await readEverything(client, history);
    await Promise.all(clients.readers.map((one) => one.stop()));
    await client.close();
    await Promise.all(cluster.nodes.map((node) => node.kill('SIGTERM')));
    const audited = auditFiles(cluster, topicIds, history);
    const judgement = judgeHistory(history);
    const vacuous = whyVacuous(judgement);
    return {
      judgement,
      fired,
      faults: [
        ...judgement.anomalies.filter(isForbidden).map(sentenceOf),
        ...audited,
        ...(vacuous === undefined ? [] : [`the run proves nothing: ${vacuous}`]),
      ],
    };
  } finally {
    await cluster.stop();
  }
}

async function createTopics(client: Client): Promise<ReadonlyMap<string, string>> {
  const topicIds = new Map<string, string>();
  for (const level of levels) {
    const { topicId } = await client.admin.createTopic({
      name: level,
      partitions,
      replicationFactor: nodes,
      config: { 'segment.bytes': String(1024 * 1024) },
    });
    topicIds.set(level, topicId);
  }
  return topicIds;
}

interface Clients {
  readonly producers: readonly ChaosProducer[];
  readonly readers: readonly ChaosReader[];
}

async function startClients(
  cluster: ProcessCluster,
  record: (operation: Operation) => void,
): Promise<Clients> {
  const { brokers } = cluster;
  const places = levels.flatMap((acks) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic: acks, acks, partition })),
  );
  const options = places.map((place) => ({ ...place, brokers, everyMs, record }));
  return {
    producers: await Promise.all(options.map((one) => ChaosProducer.start(one))),
    readers: await Promise.all(options.map((one) => ChaosReader.start(one))),
  };
}

/** One fault after the other until the time is over; half of the time on a cluster that is not whole yet. */
async function strike(
  scene: {
    readonly cluster: ProcessCluster;
    readonly client: Client;
    readonly random: SeededRandom;
  },
  minutes: number,
  tell: (line: string) => void,
): Promise<ReadonlyMap<string, number>> {
  const { client, random } = scene;
  const fired = new Map<string, number>();
  const names = Object.keys(faults);
  const until = performance.now() + minutes * 60_000;
  while (performance.now() < until) {
    const name = names[random.below(names.length)] ?? '';
    const fault = faults[name];
    const node = random.below(nodes) + 1;
    const lastsMs = random.below(faultMsMax);
    tell(`${name}, node ${node}, ${lastsMs} ms`);
    if (fault?.needsWhole === true) await whole(client, nodes);
    await fault?.run({ ...scene, node, lastsMs });
    if (fault?.needsWhole === true || random.below(2) === 0) await whole(client, nodes);
    fired.set(name, (fired.get(name) ?? 0) + 1);
  }
  return fired;
}

/** Every replica of every partition, until it shows what was acknowledged; what is there is the history. */
async function readEverything(client: Client, history: Operation[]): Promise<void> {
  for (const topic of levels)
    for (let partition = 0; partition < partitions; partition++)
      for (let node = 1; node <= nodes; node++) {
        const name = partitionName(topic, partition);
        const end = endOf(acknowledged(history, name));
        const invokedMs = performance.now();
        // A replica learns of the watermark a little after the leader.
        const found = await until(
          () => readServed(client, { topic, partition }, node),
          (records) => topic === 'leader' || Number(records.at(-1)?.offset ?? -1n) + 1 >= end,
          `node ${node} shows ${name} up to ${end}`,
          30_000,
        );
        const records = found.map(({ offset, value }) => ({
          offset: Number(offset),
          value: value.toString(),
        }));
        const times = { invokedMs, completedMs: performance.now() };
        const process = `final-${node}`;
        history.push({ kind: 'poll', process, partition: name, ...times, records, finalOf: node });
      }
}

function auditFiles(
  cluster: ProcessCluster,
  topicIds: ReadonlyMap<string, string>,
  history: readonly Operation[],
): string[] {
  const found: string[] = [];
  for (const [topic, topicId] of topicIds)
    for (let partition = 0; partition < partitions; partition++) {
      const name = partitionName(topic, partition);
      try {
        const replicas = new Map(
          cluster.nodes.map((node) => [
            node.id,
            readReplica(join(node.data, 'logs', `${topicId}-${partition}`)),
          ]),
        );
        const kept = topic === 'leader' ? [] : acknowledged(history, name);
        found.push(...auditReplicas({ partition: name, replicas, acknowledged: kept }));
      } catch (caught) {
        found.push(`${name}: ${caught instanceof Error ? caught.message : String(caught)}`);
      }
    }
  return found;
}

function acknowledged(history: readonly Operation[], partition: string): Send[] {
  return history.filter(
    (one): one is Send =>
      one.kind === 'send' && one.outcome === 'ok' && one.partition === partition,
  );
}

/** The offset behind the last of them. */
function endOf(sends: readonly Send[]): number {
  return sends.reduce((end, { offset = -1 }) => Math.max(end, offset + 1), 0);
}

function isForbidden({ partition, name }: Anomaly): boolean {
  return !(partition.startsWith('leader/') && allowedAtLeader.includes(name));
}

function sentenceOf({ name, partition, evidence }: Anomaly): string {
  return `${name} in ${partition}: ${evidence}`;
}
