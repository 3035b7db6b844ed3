/** The systems side by side: each a cluster of three on this machine, with the clients that suit it. */
import { startWorker, type Worker } from '../harness/worker.ts';
import { LoadCluster } from '../load/load-cluster.ts';
import { KafkaCluster } from '../peers/kafka-cluster.ts';
import { KafkaToolHost } from '../peers/kafka-tool-host.ts';
import { whyWithoutKafka, whyWithoutNats } from '../peers/locations.ts';
import { NatsCluster } from '../peers/nats-cluster.ts';
import type { PeerAnswer, PeerRequest } from './peer-requests.ts';

export type PeerClient = Worker<PeerRequest, PeerAnswer>;

export interface KafkaSide {
  readonly cluster: KafkaCluster;
  readonly tools: KafkaToolHost;
  readonly nodeClient: PeerClient;
}

export interface NatsSide {
  readonly cluster: NatsCluster;
  readonly nodeClient: PeerClient;
}

/** What runs; a peer that is missing says why instead. */
export interface Systems {
  readonly ours: LoadCluster;
  readonly kafka: KafkaSide | { readonly missing: string };
  readonly nats: NatsSide | { readonly missing: string };
  close(): Promise<void>;
}

export interface SystemsPlace {
  readonly directory: (purpose: string) => Promise<string>;
  readonly progress: (text: string) => void;
  readonly invalid: (reason: string) => void;
}

export async function startSystems({
  directory,
  progress,
  invalid,
}: SystemsPlace): Promise<Systems> {
  const closing: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const end of closing.reverse()) await end();
  };
  try {
    progress('starting Highwater');
    const ours = await LoadCluster.start(await directory('highwater'), invalid);
    closing.push(() => ours.close());
    const kafka = await startKafka({ directory, progress }, closing);
    const nats = await startNats({ directory, progress }, closing);
    return { ours, kafka, nats, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startKafka(
  { directory, progress }: Omit<SystemsPlace, 'invalid'>,
  closing: (() => Promise<void>)[],
): Promise<Systems['kafka']> {
  const missing = whyWithoutKafka();
  if (missing !== undefined) {
    progress(`without Kafka: ${missing}`);
    return { missing };
  }
  progress('starting Kafka');
  const place = await directory('kafka');
  const cluster = await KafkaCluster.start(place);
  closing.push(() => cluster.stop());
  const tools = new KafkaToolHost(place);
  closing.push(() => tools.close());
  const nodeClient: PeerClient = startWorker(new URL('./kafka-node-worker.ts', import.meta.url));
  closing.push(() => nodeClient.close());
  return { cluster, tools, nodeClient };
}

async function startNats(
  { directory, progress }: Omit<SystemsPlace, 'invalid'>,
  closing: (() => Promise<void>)[],
): Promise<Systems['nats']> {
  const missing = whyWithoutNats();
  if (missing !== undefined) {
    progress(`without NATS: ${missing}`);
    return { missing };
  }
  progress('starting NATS');
  const cluster = await NatsCluster.start(await directory('nats'));
  closing.push(() => cluster.stop());
  const nodeClient: PeerClient = startWorker(new URL('./nats-worker.ts', import.meta.url));
  closing.push(() => nodeClient.close());
  return { cluster, nodeClient };
}
