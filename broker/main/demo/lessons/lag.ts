/**
 * What followers are worth to readers, and what it costs. What is shown: readers spread over three
 * replicas read more than from one, where each node gives out at a limited rate; and how much later a
 * record is readable at a follower than it is acknowledged, whole and with a slow follower.
 */
import { type Client, Session } from '../../../../client/index.ts';
import { clientsSide } from '../../../../proto/link/node/peer-network.ts';
import { leaderWithIsr } from '../../fleet/cluster-view.ts';
import { AgeMeter } from '../age-meter.ts';
import type { Lesson } from '../lesson.ts';
import type { LessonCluster } from '../lesson-cluster.ts';
import { quantile } from '../quantile.ts';
import type { Stage } from '../stage.ts';

const bytesPerSecond = 500_000;
const bulkValueBytes = 10_000;
const bulkRecords = 600;
const measureMs = 2_000;
const settleMs = 500;
const watchMs = 1_500;
/** Younger than this is fresh, older is stale. */
const freshMs = 400;

export const lagLesson: Lesson = {
  name: 'lag',
  summary:
    'Replicas share the reads; what a follower serves is a little older, and how much is measured.',
  takeaway:
    'More replicas serve more reads, each a little in the past. How much is a number to watch, and a level to ask for.',
  async play(stage) {
    const cluster = await stage.cluster({
      controllers: 1,
      hasProxies: true,
      hasClientProxies: true,
    });
    await cluster.createTopic({ 'replica.lag.time.max.ms': '1000' });
    const leader = (await cluster.leader()).id;
    await shareReads(stage, cluster, leader);
    await staleness(stage, cluster, leader);
  },
};

async function shareReads(
  { story, claims, recording }: Stage,
  cluster: LessonCluster,
  leader: number,
): Promise<void> {
  const { client, processes } = cluster;
  const bulk = { topic: 'bulk', partition: 0 };
  await client.admin.createTopic({
    name: bulk.topic,
    assignment: [[leader, ...cluster.othersThan(leader)]],
    config: { flush: 'os' },
  });
  await leaderWithIsr(client, bulk, 3);
  const producer = client.producer({ batchBytesTarget: 32_000 });
  const value = Buffer.alloc(bulkValueBytes, 'x');
  await Promise.all(Array.from({ length: bulkRecords }, () => producer.send({ ...bulk, value })));
  story.chapter(
    `${(bulkRecords * bulkValueBytes) / 1e6} MB are written. Each node gives out ${bytesPerSecond / 1e3} KB/s; three readers read.`,
  );
  for (const { id } of cluster.brokers) processes.network.slow(id, clientsSide, bytesPerSecond);
  const nodes = cluster.brokers.map(({ id }) => id);
  const one = await readRate(
    client,
    bulk,
    nodes.map(() => leader),
  );
  story.act(`All three from the leader: ${(one / 1e3).toFixed(0)} KB/s.`);
  const three = await readRate(client, bulk, nodes);
  story.act(`One from each replica: ${(three / 1e3).toFixed(0)} KB/s.`);
  processes.network.heal();
  recording.bars('Read by three readers', 'KB/s', [
    { label: 'all from the leader', value: one / 1e3 },
    { label: 'one from each replica', value: three / 1e3 },
  ]);
  claims.between('Three replicas give out, times one', three / Math.max(1, one), [1.8, 4.5]);
}

/** Bytes a second over all readers, each from its node. */
async function readRate(
  client: Client,
  place: { readonly topic: string; readonly partition: number },
  nodes: readonly number[],
): Promise<number> {
  const beganMs = performance.now();
  const stop = AbortSignal.timeout(measureMs);
  let bytes = 0;
  await Promise.all(
    nodes.map(async (node) => {
      const reader = client.reader({
        ...place,
        readFrom: node,
        level: 'any',
        session: new Session(),
        prefetchBytesMax: 64_000,
      });
      stop.addEventListener('abort', () => void reader.close(), { once: true });
      for await (const { value } of reader) bytes += value?.length ?? 0;
    }),
  );
  return (bytes * 1_000) / (performance.now() - beganMs);
}

async function staleness(stage: Stage, cluster: LessonCluster, leader: number): Promise<void> {
  const { story, claims, recording } = stage;
  const { client, place, processes } = cluster;
  const [slow = 0, other = 0] = cluster.othersThan(leader);
  const plot = recording.lines('Age of a record when it is read', 'ms');
  const meter = new AgeMeter(
    client,
    place,
    cluster.brokers.map(({ id }) => id),
    (node, ms) => recording.point(plot, `node ${node}${node === leader ? ', leader' : ''}`, ms),
  );
  stage.keep(() => meter.close());
  const agesFor = async (ms: number): Promise<(node: number) => number> => {
    meter.take();
    await new Promise((resolve) => setTimeout(resolve, ms));
    const ages = meter.take();
    return (node) => quantile(ages.get(node) ?? [], 0.5);
  };
  const tell = (age: (node: number) => number): void => {
    for (const node of [leader, other, slow])
      story.look(
        `Node ${node}${node === leader ? ' (leads)' : ''}: ${age(node).toFixed(0)} ms old.`,
      );
  };
  story.chapter('A record every 20 ms, and a reader at each replica: how old is what it gets?');
  await agesFor(settleMs);
  const whole = await agesFor(watchMs);
  tell(whole);
  story.why(
    'Nobody reads above the watermark, so even the leader’s readers wait for the in-sync set. A follower learns of the watermark with the next bytes from its leader.',
  );
  story.chapter(
    `What node ${leader} sends to node ${slow} passes at 10 KB/s; 25 KB/s are written.`,
  );
  processes.network.slow(leader, slow, 10_000);
  await leaderWithIsr(client, place, 2);
  await agesFor(settleMs);
  const slowed = await agesFor(watchMs);
  tell(slowed);
  story.why(
    'Out of the in-sync set the slow follower holds nobody back any more. It still serves, whoever does not mind the past; a session that has seen more is sent on.',
  );
  story.chapter('The network is whole again.');
  processes.network.heal();
  await leaderWithIsr(client, place, 3);
  await agesFor(settleMs);
  const healed = await agesFor(watchMs);
  tell(healed);
  claims.atMost('Age at a follower while all is well, in ms (median)', whole(slow), freshMs);
  claims.atLeast('At the slow follower', slowed(slow), freshMs);
  claims.atMost('Then at the other one', slowed(other), freshMs);
  claims.atMost('At the slow one once it has caught up', healed(slow), freshMs);
}
