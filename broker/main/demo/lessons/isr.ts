/**
 * Followers that cannot keep up. What is shown: a slow one leaves the in-sync set, and the watermark goes
 * on without it; with the second one gone the set is below the minimum, and writes at all are refused
 * before anything is appended; both catch up, and the set is whole again.
 */
import { leaderWithIsr, partitionInfo, until } from '../../fleet/cluster-view.ts';
import { SteadyWriter } from '../../fleet/steady-writer.ts';
import { judgeReplicas } from '../judge.ts';
import type { Lesson } from '../lesson.ts';
import type { LessonCluster } from '../lesson-cluster.ts';
import { type ProbeAnswer, Probes } from '../probes.ts';
import type { Stage } from '../stage.ts';
import { type Sight, Watch } from '../watch.ts';

const lagMsMax = 1_000;
const slowBytesPerSecond = 6_000;
const load = { everyMs: 10, valueBytes: 500, acks: 'leader' } as const;

interface Scene {
  readonly stage: Stage;
  readonly cluster: LessonCluster;
  readonly leader: number;
  readonly writer: SteadyWriter;
  readonly watch: Watch;
  /** One write at acks=all. */
  readonly atAll: () => Promise<ProbeAnswer>;
}

export const isrLesson: Lesson = {
  name: 'isr',
  summary:
    'A slow follower leaves the in-sync set, writes are refused below the minimum, and it comes back.',
  takeaway:
    'The in-sync set trades patience for progress: a slow follower costs latency until it leaves, and safety once too few are left. min.insync.replicas says where to stop.',
  async play(stage) {
    const { story, claims } = stage;
    // A controller of its own, so that a slow network between brokers slows nothing else.
    const cluster = await stage.cluster({ controllers: 1, hasProxies: true });
    const { client, place } = cluster;
    await cluster.createTopic({ 'replica.lag.time.max.ms': String(lagMsMax) });
    const leader = (await cluster.leader()).id;
    const [first = 0, second = 0] = cluster.othersThan(leader);
    const watch = new Watch(cluster, stage.recording);
    stage.keep(() => watch.stop());
    const writer = new SteadyWriter(client, { topic: place.topic, ...load });
    stage.keep(() => writer.stop());
    const probes = new Probes();
    const atAll = () => probes.send(client, place, { acks: 'all', withinMs: 1_000 });
    const scene = { stage, cluster, leader, writer, watch, atAll };

    story.chapter(
      `Node ${leader} leads, ${first} and ${second} follow: the three are the in-sync set (ISR). min.insync.replicas is 2. A producer sends 50 KB/s at acks=leader, so that it goes on whatever the set does.`,
    );
    await writer.acknowledges(60);
    claims.equals('A write at acks=all with three in sync', (await atAll()).text, 'acknowledged');
    await slowFirst(scene, first);
    await slowSecond(scene, second);
    story.chapter('The network is whole again. Both catch up and are taken back into the set.');
    cluster.processes.network.heal();
    await leaderWithIsr(client, place, 3);
    claims.equals(
      'A write at acks=all once all have caught up',
      (await atAll()).text,
      'acknowledged',
    );
    await writer.stop();
    await watch.stop();
    await judgeReplicas(claims, cluster, { load: writer.history, probes });
  },
};

async function slowFirst(scene: Scene, node: number): Promise<void> {
  const { stage, cluster, leader, writer, watch, atAll } = scene;
  const { story, claims, recording } = stage;
  const { client, place, processes } = cluster;
  story.chapter(`What node ${leader} sends to node ${node} passes at 6 KB/s from here on.`);
  story.why(
    `The watermark is the smallest stored end over the in-sync set, so the slow follower holds it back: the gap between log end and watermark grows. After ${lagMsMax} ms behind (replica.lag.time.max.ms) the leader has the controller take it out.`,
  );
  processes.network.slow(leader, node, slowBytesPerSecond);
  await leaderWithIsr(client, place, 2);
  const shrunkMs = recording.elapsedMs;
  story.look('The set has shrunk: the watermark jumps to the log end, the gap closes.');
  await writer.acknowledges(60);
  const answer = await atAll();
  const { isr } = await partitionInfo(client, place);
  const gap = gapMax(watch.sights.filter(({ atMs }) => atMs < shrunkMs));
  const rose = rise(watch.sights, shrunkMs, 'watermark');
  claims.atLeast('The slow follower opened a gap, in records', gap, 20);
  claims.equals('It is in sync no more', !isr.includes(node), true);
  claims.atLeast('The watermark went on without it, in records', rose, 20);
  claims.equals('A write at acks=all with two in sync', answer.text, 'acknowledged');
}

async function slowSecond(scene: Scene, node: number): Promise<void> {
  const { stage, cluster, leader, writer, watch, atAll } = scene;
  const { story, claims, recording } = stage;
  const { client, place, processes } = cluster;
  story.chapter(`The same for node ${node}. The set falls below the minimum.`);
  processes.network.slow(leader, node, slowBytesPerSecond);
  await leaderWithIsr(client, place, 1);
  // The change is committed; now the leader has to hear of it.
  await until(
    () => Promise.resolve(watch.sights.at(-1)),
    (sight) => sight?.isr.length === 1,
    'the leader knows that it is alone',
  );
  await writer.acknowledges(20);
  const belowMs = recording.elapsedMs;
  const { elr } = await partitionInfo(client, place);
  const refused = await atAll();
  story.act(`A write at acks=all is answered: ${refused.text}.`);
  story.why(
    'A record that fewer than min.insync.replicas have stored could be lost with them, so it is refused before it is appended, and nobody will ever read it. The watermark stands still, and the last follower to leave stays eligible to lead: it has everything below the watermark.',
  );
  await writer.acknowledges(60);
  const watermarkRose = rise(watch.sights, belowMs, 'watermark');
  const logRose = rise(watch.sights, belowMs, 'logEnd');
  claims.equals(
    'A write at acks=all below the minimum',
    refused.text,
    'NOT_ENOUGH_REPLICAS, not-written',
  );
  claims.equals('Eligible to lead while below the minimum', elr, [node]);
  claims.equals('The watermark stood still; it rose by', watermarkRose, 0);
  claims.atLeast('while the log end went on by', logRose, 20);
}

function gapMax(sights: readonly Sight[]): number {
  return Math.max(0, ...sights.map(({ logEnd, watermark }) => logEnd - watermark));
}

/** How far it has come since then. */
function rise(sights: readonly Sight[], sinceMs: number, what: 'watermark' | 'logEnd'): number {
  const since = sights.filter(({ atMs }) => atMs > sinceMs);
  const [first] = since;
  const last = since.at(-1);
  return first === undefined || last === undefined ? 0 : last[what] - first[what];
}
