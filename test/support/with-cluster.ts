/** A process cluster with a client and one topic of one partition, for the length of a test. */
import { type Client, connect } from '../../client/index.ts';
import type { PartitionPlace } from './cluster-view.ts';
import { ProcessCluster, type ProcessClusterOptions } from './process-cluster.ts';

export interface Stage {
  readonly cluster: ProcessCluster;
  readonly client: Client;
  readonly place: PartitionPlace;
}

export async function withCluster(
  options: Partial<ProcessClusterOptions> & { readonly topic?: Readonly<Record<string, string>> },
  run: (stage: Stage) => Promise<void>,
): Promise<void> {
  const { topic: config = {}, ...rest } = options;
  const cluster = await ProcessCluster.start({ nodes: 3, ...rest });
  const place = { topic: 'orders', partition: 0 };
  try {
    const client = await connect({ brokers: cluster.brokers });
    try {
      await client.admin.createTopic({
        name: place.topic,
        partitions: 1,
        replicationFactor: 3,
        config,
      });
      await run({ cluster, client, place });
    } finally {
      await client.close();
    }
  } finally {
    await cluster.stop();
  }
}
