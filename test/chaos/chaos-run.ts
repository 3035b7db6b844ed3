/**
 * One run: real processes behind proxies, on disks that forget what was not flushed and can be spoiled;
 * clients of three levels; faults from a seed; then everything heals, every replica is read to its end, the
 * nodes stop, the history is judged and the files are audited.
 */
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ProcessCluster } from '../../broker/main/fleet/process-cluster.ts';
import { type Acks, type Client, connect } from '../../client/index.ts';
import { SeededRandom } from '../../proto/ports/memory/seeded-random.ts';
import { replicasEach, whole } from './faults/whole.ts';
import { auditFiles, placesOf, readEverything } from './final-look.ts';
import type { Anomaly, AnomalyName } from './history/anomaly.ts';
import { type Judgement, judgeHistory, whyVacuous } from './history/judge-history.ts';
import type { Operation } from './history/operation.ts';
import { heal, type StrikeReport, strike } from './strike.ts';
import { ChaosProducer, ChaosReader } from './workload.ts';

export interface ChaosOptions {
  readonly seed: string;
  readonly minutes: number;
  readonly tell: (line: string) => void;
  /** Only these kinds of faults. */
  readonly only?: readonly string[];
  /** Where the nodes' files and the history are copied to if something is wrong. */
  readonly keep?: string;
}

export interface ChaosVerdict extends StrikeReport {
  readonly judgement: Judgement;
  /** Everything that is wrong, a sentence each; empty for a run that passed. */
  readonly faults: readonly string[];
}

/** One more than a partition has replicas, so that those can move. */
const nodes = replicasEach + 1;
const partitions = 2;
const everyMs = 5;
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

export async function runChaos(options: ChaosOptions): Promise<ChaosVerdict> {
  const { minutes, tell } = options;
  const cluster = await startNodes();
  const history: Operation[] = [];
  try {
    const client = await connect({ brokers: cluster.brokers });
    await createTopics(client);
    await whole(client);
    const clients = await startClients(cluster, (operation) => history.push(operation));
    const random = new SeededRandom(options.seed);
    const struck = await strike({ cluster, client, random, minutes, tell, only: options.only });
    tell('healing');
    heal(cluster);
    const wrong = struck.stuckAt === undefined ? [] : [struck.stuckAt];
    await whole(client).catch((caught: unknown) => wrong.push(`after healing: ${String(caught)}`));
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await Promise.all(clients.producers.map((one) => one.stop()));
    const places = await placesOf(client);
    wrong.push(...(await readEverything(client, places, history)));
    await Promise.all(clients.readers.map((one) => one.stop()));
    await client.close();
    await Promise.all(cluster.nodes.map((node) => node.kill('SIGTERM')));
    wrong.push(...auditFiles(cluster, places, history));
    const judgement = judgeHistory(history);
    wrong.push(...judgement.anomalies.filter(isForbidden).map(sentenceOf));
    const vacuous = whyVacuous(judgement);
    if (vacuous !== undefined) wrong.push(`the run proves nothing: ${vacuous}`);
    if (wrong.length > 0 && options.keep !== undefined) keep(cluster, history, options.keep);
    return { ...struck, judgement, faults: wrong };
  } finally {
    await cluster.stop();
  }
}

/** What the nodes stored and logged, and the history, for whoever wants to know what happened. */
function keep(cluster: ProcessCluster, history: readonly Operation[], directory: string): void {
  cpSync(cluster.directory, directory, { recursive: true });
  const lines = history.map((operation) => `${JSON.stringify(operation)}\n`);
  writeFileSync(join(directory, 'history.jsonl'), lines.join(''));
}

/** Nodes that seal segments soon and search them often, so that damage is found while the run lasts. */
function startNodes(): Promise<ProcessCluster> {
  return ProcessCluster.start({
    nodes,
    hasProxies: true,
    readyMs: 180_000,
    program: fileURLToPath(new URL('./disk/node.ts', import.meta.url)),
    environment: {
      ...process.env,
      NODE_OPTIONS: `--import=${import.meta.resolve('tsx')}`,
      UV_THREADPOOL_SIZE: '16',
    },
    settings: { 'scrub-bytes-per-second': String(8 * 1024 * 1024), 'cleaner-check-ms': '1000' },
  });
}

async function createTopics(client: Client): Promise<void> {
  for (const level of levels)
    await client.admin.createTopic({
      name: level,
      partitions,
      replicationFactor: replicasEach,
      config: { 'segment.bytes': String(128 * 1024) },
    });
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

function isForbidden({ partition, name }: Anomaly): boolean {
  return !(partition.startsWith('leader/') && allowedAtLeader.includes(name));
}

function sentenceOf({ name, partition, evidence }: Anomaly): string {
  return `${name} in ${partition}: ${evidence}`;
}
