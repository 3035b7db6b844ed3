/**
 * How long a steady producer goes without an acknowledgement when its leader is killed or stopped. The node
 * comes back before the next trial.
 */
import { leaderWithIsr, partitionInfo } from '../../test/support/cluster-view.ts';
import { SteadyWriter } from '../../test/support/steady-writer.ts';
import type { KafkaCluster } from '../peers/kafka-cluster.ts';
import { SteadyKafkaProducer } from '../peers/kafka-steady.ts';
import type { PeerProcess } from '../peers/peer-process.ts';
import type { NatsSide, Systems } from './systems.ts';

export type Fault = 'SIGKILL' | 'SIGSTOP';

/** The beat of every steady producer: 100 records a second. */
const everyMs = 10;
const steadyRecords = 200;
/** Kafka's client keeps to a stopped leader for a minute. */
const recoversWithinMs = 150_000;

export async function ourGap({ ours }: Systems, fault: Fault): Promise<number> {
  const load = { partitions: 1, flush: 'ack', valueBytes: 100 } as const;
  return ours.withTopic(load, async ({ topic }) => {
    const place = { topic, partition: 0 };
    const writer = new SteadyWriter(ours.client, { topic, everyMs });
    await writer.acknowledges(steadyRecords);
    const { leader } = await partitionInfo(ours.client, place);
    const node = ours.cluster.node(leader ?? 0);
    writer.takeLongestGapMs();
    if (fault === 'SIGKILL') await node.kill('SIGKILL');
    else node.pause();
    await settle();
    await writer.acknowledges(steadyRecords / 2, recoversWithinMs);
    const gap = writer.takeLongestGapMs();
    await writer.stop();
    if (fault === 'SIGKILL') node.start();
    else node.resume();
    await node.ready();
    await leaderWithIsr(ours.client, place, 3);
    return gap;
  });
}

export interface KafkaTrial {
  readonly topic: string;
  readonly fault: Fault;
  /** Settings of the producer other than its defaults. */
  readonly settings?: readonly string[];
  /** Runs while the producer waits for another leader. */
  readonly meanwhile?: () => Promise<void>;
}

export async function kafkaGap(cluster: KafkaCluster, trial: KafkaTrial): Promise<number> {
  const { topic, fault, settings = [], meanwhile } = trial;
  await cluster.createTopic(topic, 1, false);
  const writer = new SteadyKafkaProducer(cluster, { topic, everyMs, settings });
  try {
    await writer.acknowledges(steadyRecords);
    const node = await cluster.leader(topic);
    await strike(node, fault);
    const again = writer.acknowledges(steadyRecords / 2, recoversWithinMs);
    const [gap] = await Promise.all([again.then(() => writer.longestGapMs), meanwhile?.()]);
    await recover(node, fault);
    await cluster.whole();
    return gap;
  } finally {
    await writer.close();
  }
}

/** The client is connected to a server that stays: the best case, and with two of three the usual one. */
export async function natsGap(
  { cluster, nodeClient }: NatsSide,
  fault: Fault,
  topic: string,
): Promise<number> {
  await cluster.createStream(topic);
  const node = await cluster.leader(topic);
  const servers = cluster.servers.filter((_, index) => cluster.nodes[index] !== node);
  await nodeClient.ask({ kind: 'steady', servers, topic, everyMs });
  const reaches = async (goal: number): Promise<void> => {
    const deadline = Date.now() + recoversWithinMs;
    while ((await nodeClient.ask({ kind: 'steady-count' })).acknowledged < goal) {
      if (Date.now() > deadline) throw new Error('NATS acknowledges nothing');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  await reaches(steadyRecords);
  await strike(node, fault);
  const { acknowledged } = await nodeClient.ask({ kind: 'steady-count' });
  await reaches(acknowledged + steadyRecords / 2);
  const { longestGapMs } = await nodeClient.ask({ kind: 'steady-end' });
  await recover(node, fault);
  await cluster.deleteStream(topic);
  return longestGapMs;
}

async function strike(node: PeerProcess, fault: Fault): Promise<void> {
  await node.signal(fault);
  await settle();
}

/** What was on its way is acknowledged before the gap begins. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 200));
}

async function recover(node: PeerProcess, fault: Fault): Promise<void> {
  if (fault === 'SIGSTOP') return node.signal('SIGCONT');
  node.start();
  await node.listens();
}
