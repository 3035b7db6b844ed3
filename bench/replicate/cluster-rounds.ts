/** Our side: three node processes, a fresh topic of one partition for each round, one raw client. */
import { type Client, connect } from '../../client/index.ts';
import { leaderWithIsr } from '../../test/support/cluster-view.ts';
import { ProcessCluster } from '../../test/support/process-cluster.ts';
import { cpuSecondsOf } from '../harness/process-usage.ts';
import { filesGone } from '../harness/removed-files.ts';
import { warmMemory } from '../harness/warm-memory.ts';
import type { Worker } from '../harness/worker.ts';
import { logFolders } from '../load/load-cluster.ts';
import type { PipelineResult, PipelineRound } from '../pipeline/bare-pipeline.ts';
import type { ClientAnswer, ClientRequest } from './raw-client.ts';
import { startRawClient } from './raw-client-process.ts';

export class ClusterRounds {
  readonly cluster: ProcessCluster;
  readonly client: Client;
  readonly #producer: Worker<ClientRequest, ClientAnswer>;
  #rounds = 0;

  private constructor(cluster: ProcessCluster, client: Client) {
    this.cluster = cluster;
    this.client = client;
    this.#producer = startRawClient();
  }

  static async start(directory: string): Promise<ClusterRounds> {
    const cluster = await ProcessCluster.start({ nodes: 3, directory });
    return new ClusterRounds(cluster, await connect({ brokers: cluster.brokers }));
  }

  /** One round into a fresh topic, which is read from every replica and deleted. */
  async run({ flush, batchBytes, count }: PipelineRound): Promise<PipelineResult> {
    const { admin } = this.client;
    const topic = `round-${this.#rounds++}`;
    const { topicId } = await admin.createTopic({
      name: topic,
      partitions: 1,
      replicationFactor: 3,
      config: { flush },
    });
    const leader = await leaderWithIsr(this.client, { topic, partition: 0 }, 3);
    await warmMemory(this.cluster.directory, 3 * count * batchBytes);
    const before = this.#cpu();
    const job = { topicId, batchBytes, count };
    const sent = await this.#producer.ask({
      kind: 'send',
      address: this.cluster.node(leader).grpc,
      ...job,
    });
    const after = this.#cpu();
    const faults = [...sent.faults];
    for (const { grpc } of this.cluster.nodes) {
      const found = await this.#producer.ask({ kind: 'verify', address: grpc, ...job });
      faults.push(...found.faults);
      if (found.batches !== count) faults.push(`${grpc}: ${found.batches} of ${count} batches`);
    }
    await admin.deleteTopic(topic);
    await filesGone(logFolders(this.cluster), topicId);
    const bytes = count * batchBytes;
    return {
      megabytesPerSecond: bytes / 1e6 / sent.seconds,
      producerCpuPerGB: (after.producer - before.producer) / (bytes / 1e9),
      nodesCpuPerGB: (after.nodes - before.nodes) / (bytes / 1e9),
      faults,
    };
  }

  async close(): Promise<void> {
    await this.#producer.close();
    await this.client.close();
    await this.cluster.stop();
  }

  #cpu(): { readonly producer: number; readonly nodes: number } {
    let nodes = 0;
    for (const node of this.cluster.nodes) nodes += cpuSecondsOf(node.pid);
    return { producer: cpuSecondsOf(this.#producer.pid), nodes };
  }
}
