/**
 * Memory of the nodes while those who should take bytes do not: consumers that have asked for a lot and
 * read nothing, and a follower whose process is stopped. A producer fills every queue meanwhile.
 */
import { connect } from '../../client/index.ts';
import { leaderWithIsr } from '../../test/support/cluster-view.ts';
import { ProcessCluster } from '../../test/support/process-cluster.ts';
import { rssAnonMegabytes } from '../harness/process-usage.ts';
import { startRawClient } from './raw-client-process.ts';

const place = { topic: 'stalled', partition: 0 };
const consumers = 4;
const sampleMs = 50;

export interface StalledResult {
  /** Greatest RssAnon of the largest node. */
  readonly megabytes: number;
  readonly faults: readonly string[];
}

export async function measureStalled(
  directory: string,
  { batchBytes, count }: { readonly batchBytes: number; readonly count: number },
): Promise<StalledResult> {
  const cluster = await ProcessCluster.start({ nodes: 3, directory });
  const client = await connect({ brokers: cluster.brokers });
  const raw = [startRawClient(), startRawClient()] as const;
  const [producer, consumer] = raw;
  try {
    const { topicId } = await client.admin.createTopic({
      name: place.topic,
      partitions: 1,
      replicationFactor: 3,
      config: { flush: 'os' },
    });
    const leader = await leaderWithIsr(client, place, 3);
    const address = cluster.node(leader).grpc;
    for (let index = 0; index < consumers; index++)
      await consumer.ask({ kind: 'stall', address, topicId });
    const stopped = cluster.node((leader % 3) + 1);
    const running = cluster.nodes.filter((node) => node !== stopped);
    let megabytes = 0;
    const sampling = setInterval(() => {
      for (const { pid } of running) megabytes = Math.max(megabytes, rssAnonMegabytes(pid));
    }, sampleMs);
    const job = { topicId, batchBytes, count };
    const sending = producer.ask({ kind: 'send', address, ...job });
    stopped.pause();
    const sent = await sending;
    clearInterval(sampling);
    stopped.resume();
    const faults = [...sent.faults];
    for (const { grpc } of cluster.nodes)
      faults.push(...(await producer.ask({ kind: 'verify', address: grpc, ...job })).faults);
    return { megabytes, faults };
  } finally {
    await Promise.all(raw.map((worker) => worker.close()));
    await client.close();
    await cluster.stop();
  }
}
