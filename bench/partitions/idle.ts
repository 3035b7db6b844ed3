/** A cluster with many partitions that nobody uses: what its nodes take all the same. */
import { connect } from '../../client/index.ts';
import { until } from '../../test/support/cluster-view.ts';
import { ProcessCluster } from '../../test/support/process-cluster.ts';
import type { BenchContext } from '../harness/bench.ts';
import { cpuSecondsOf, rssAnonMegabytes } from '../harness/process-usage.ts';

const createdWithinMs = 120_000;
const topicCount = 10;

/** CPU of the busiest and memory of the largest node. */
export async function measureIdle(
  context: BenchContext,
  partitions: number,
): Promise<Record<string, number>> {
  const directory = await context.freshDirectory('idle');
  const cluster = await ProcessCluster.start({ nodes: 3, directory });
  try {
    await createTopics(cluster.brokers, partitions);
    await settle(context.isQuick ? 5 : 30);
    const seconds = context.isQuick ? 10 : 60;
    const before = cluster.nodes.map(({ pid }) => cpuSecondsOf(pid));
    const began = performance.now();
    await settle(seconds);
    const elapsed = (performance.now() - began) / 1000;
    const shares = cluster.nodes.map(
      ({ pid }, index) => (100 * (cpuSecondsOf(pid) - (before[index] ?? 0))) / elapsed,
    );
    const megabytes = Math.max(...cluster.nodes.map(({ pid }) => rssAnonMegabytes(pid)));
    context.progress(`idle: ${Math.max(...shares).toFixed(1)} %, ${megabytes.toFixed(0)} MB`);
    return {
      [`idle_cpu_percent_${partitions}`]: Math.max(...shares),
      [`rss_MB_${partitions}`]: megabytes,
    };
  } finally {
    await cluster.stop();
  }
}

async function createTopics(brokers: readonly string[], partitions: number): Promise<void> {
  const client = await connect({ brokers });
  const { admin } = client;
  for (let index = 0; index < topicCount; index++) {
    const name = `idle-${index}`;
    await admin.createTopic({ name, partitions: partitions / topicCount, replicationFactor: 3 });
    await until(
      () => admin.describeTopic(name, { timeoutMs: 10_000 }),
      (topic) =>
        topic.partitions.every(({ leader, isr }) => leader !== undefined && isr.length === 3),
      'every partition has a leader and three in sync',
      createdWithinMs,
    );
  }
  await client.close();
}

function settle(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
