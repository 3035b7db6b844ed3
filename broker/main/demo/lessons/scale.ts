/**
 * What raises the write rate. All nodes of a lesson share one machine, so each node gets a rate of its
 * own: what its clients may send to it, as its own network would allow. What is shown: more followers do
 * not help a leader, more leaders do.
 */
import type { Client } from '../../../../client/index.ts';
import { clientsSide } from '../../../../proto/link/node/peer-network.ts';
import { leaderWithIsr } from '../../fleet/cluster-view.ts';
import type { Lesson } from '../lesson.ts';

/** Far below what any machine does, so that the rate and not the machine is the limit. */
const bytesPerSecond = 300_000;
const valueBytes = 4_000;
const measureMs = 2_000;
const settleMs = 600;

interface Layout {
  readonly topic: string;
  readonly what: string;
  readonly assignment: readonly (readonly number[])[];
}

const layouts = {
  alone: { topic: 'alone', what: '1 partition, 1 replica', assignment: [[1]] },
  followed: { topic: 'followed', what: '1 partition, 3 replicas', assignment: [[1, 2, 3]] },
  spread: {
    topic: 'spread',
    what: '3 partitions, 3 replicas, 3 leaders',
    assignment: [
      [1, 2, 3],
      [2, 3, 1],
      [3, 1, 2],
    ],
  },
  crowded: {
    topic: 'crowded',
    what: '3 partitions, 3 replicas, 1 leader',
    assignment: [
      [1, 2, 3],
      [1, 3, 2],
      [1, 2, 3],
    ],
  },
} as const satisfies Record<string, Layout>;

export const scaleLesson: Lesson = {
  name: 'scale',
  summary: 'Followers do not raise the write rate; partitions over more leaders do.',
  takeaway:
    'Replicas make records safe, partitions make writes fast. To write more, spread leaders, not followers.',
  async play(stage) {
    const { story, claims, recording } = stage;
    const cluster = await stage.cluster({ controllers: 1, hasClientProxies: true });
    const { client, processes } = cluster;
    for (const { topic, assignment } of Object.values(layouts)) {
      await client.admin.createTopic({ name: topic, assignment, config: { flush: 'os' } });
      for (const [partition, replicas] of assignment.entries())
        await leaderWithIsr(client, { topic, partition }, replicas.length);
    }
    story.chapter(
      `Each node takes ${bytesPerSecond / 1e3} KB/s from its clients. A producer sends all it can at acks=all.`,
    );
    for (const { id } of cluster.brokers) processes.network.slow(clientsSide, id, bytesPerSecond);
    const rate = new Map<string, number>();
    for (const layout of Object.values(layouts)) {
      const bytes = await writeRate(client, layout);
      rate.set(layout.topic, bytes);
      story.act(`${layout.what}: ${(bytes / 1e3).toFixed(0)} KB/s acknowledged.`);
    }
    story.why(
      'Every record of a partition goes through its leader, whoever follows it: followers make records safe and serve reads. Leaders of other partitions are other doors. Here only what clients send is limited; replication takes its share of a real network too, so that it scales with nodes, not with replicas.',
    );
    recording.bars(
      'Acknowledged writes',
      'KB/s',
      Object.values(layouts).map(({ topic, what }) => ({
        label: what,
        value: (rate.get(topic) ?? 0) / 1e3,
      })),
    );
    const times = (one: Layout, other: Layout): number =>
      (rate.get(one.topic) ?? 0) / Math.max(1, rate.get(other.topic) ?? 0);
    const { alone, followed, spread, crowded } = layouts;
    claims.atMost('Three replicas against one, times', times(followed, alone), 1.7);
    claims.atMost('Three partitions on one leader, times', times(crowded, followed), 1.7);
    claims.atLeast('Three partitions on three leaders, times', times(spread, followed), 1.8);
  },
};

/** Bytes acknowledged in a second, once the buffers between here and there are full. */
async function writeRate(client: Client, { topic, assignment }: Layout): Promise<number> {
  const producer = client.producer({
    acks: 'all',
    batchBytesTarget: 16_000,
    bufferBytesMax: 1_000_000,
    closeTimeoutMs: 1,
  });
  const value = Buffer.alloc(valueBytes, 'x');
  let acknowledged = 0;
  const over = new AbortController();
  const writers = assignment.flatMap((_, partition) =>
    Array.from({ length: 60 }, async () => {
      while (!over.signal.aborted) {
        await producer.send({ topic, partition, value }).catch(() => undefined);
        acknowledged += valueBytes;
      }
    }),
  );
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  const [before, beganMs] = [acknowledged, performance.now()];
  await new Promise((resolve) => setTimeout(resolve, measureMs));
  const rate = ((acknowledged - before) * 1_000) / (performance.now() - beganMs);
  over.abort();
  await Promise.all(writers);
  await producer.close();
  return rate;
}
