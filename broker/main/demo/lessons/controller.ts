/**
 * Controllers die. What is shown: a standby takes over and has lost nothing; without a majority the data
 * path goes on and metadata changes wait; and no byte of a record ever passes a controller.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HighwaterError } from '../../../../proto/model/errors.ts';
import { until } from '../../fleet/cluster-view.ts';
import { SteadyWriter } from '../../fleet/steady-writer.ts';
import { judgeReplicas } from '../judge.ts';
import type { Lesson } from '../lesson.ts';
import type { LessonCluster } from '../lesson-cluster.ts';
import { Probes } from '../probes.ts';
import type { Stage } from '../stage.ts';

const controllers = [4, 5, 6];
/** The value of the first probe. */
const marker = 'probe 00000000 all';
const valueBytes = 8_000;

export const controllerLesson: Lesson = {
  name: 'controller',
  summary: 'Controllers may die: a standby takes over, and without any the data path goes on.',
  takeaway:
    'The controllers decide who leads and never touch a record: without them reads and writes at acks=all go on, and only changes wait.',
  async play(stage) {
    const { story, claims } = stage;
    const cluster = await stage.cluster({ controllers: 3, hasProxies: true });
    const { client, place } = cluster;
    await cluster.createTopic();
    await cluster.leader();
    const writer = new SteadyWriter(client, { topic: place.topic, everyMs: 10, valueBytes });
    stage.keep(() => writer.stop());
    const probes = new Probes();
    story.chapter(
      'Brokers 1 to 3, controllers 4 to 6, a producer that sends 0.8 MB/s at acks=all.',
    );
    await writer.acknowledges(100);
    await probes.send(client, place, { acks: 'all', withinMs: 5_000 });

    const first = await killActive(stage, cluster, writer);
    await client.admin.createTopic({ name: 'second', replicationFactor: 3 });
    const topics = (await client.admin.listTopics()).map(({ name }) => name);
    const second = await loseMajority(stage, cluster, { writer, probes });

    story.chapter('The two controllers start again.');
    for (const id of [first, second]) cluster.node(id).start();
    // One change with one request id, asked again until it is answered: applied once.
    await client.admin.createTopic({ name: 'third' }, { timeoutMs: 20_000 });
    await writer.acknowledges(50);
    await writer.stop();
    claims.equals('Topics after the standby took over', topics.toSorted(), [place.topic, 'second']);
    claims.equals('Sends that failed', writer.failed, 0);
    await judgeBytes(stage, cluster, writer.acknowledged * valueBytes);
    await judgeReplicas(claims, cluster, { load: writer.history, probes });
  },
};

async function killActive(
  { story, claims }: Stage,
  cluster: LessonCluster,
  writer: SteadyWriter,
): Promise<number> {
  const active = await cluster.activeController();
  story.chapter(`Controller ${active} is active. It is killed.`);
  writer.takeLongestGapMs();
  await cluster.node(active).kill('SIGKILL');
  const next = await until(
    () => cluster.activeController(),
    (controller) => controller !== active,
    'a standby takes over',
  );
  await writer.acknowledges(20);
  const gapMs = writer.takeLongestGapMs();
  story.act(
    `Controller ${next} has taken over. The producer waited ${gapMs.toFixed(0)} ms at most.`,
  );
  story.why(
    'The standbys have the same log, and apply it all the time: one of them only has to win a vote.',
  );
  claims.equals(
    'Another controller is active',
    controllers.includes(next) && next !== active,
    true,
  );
  return active;
}

async function loseMajority(
  { story, claims }: Stage,
  cluster: LessonCluster,
  { writer, probes }: { readonly writer: SteadyWriter; readonly probes: Probes },
): Promise<number> {
  const { client, place } = cluster;
  const second = await cluster.activeController();
  story.chapter(`Controller ${second} is killed as well: one of three is no majority.`);
  await cluster.node(second).kill('SIGKILL');
  await writer.acknowledges(200);
  // A new idempotent producer would need an id from the controllers first.
  const wish = { acks: 'leader', withinMs: 600, idempotent: false } as const;
  const atOne = () => probes.send(client, place, wish);
  await until(atOne, ({ text }) => text !== 'acknowledged', 'the lease ends');
  // One that was under way while the lease ended may have been written; the next one is refused.
  const atLeader = await atOne();
  story.act(`acks=leader: ${atLeader.text}.`);
  const before = writer.acknowledged;
  await writer.acknowledges(50);
  story.act(`acks=all: ${writer.acknowledged - before} more records acknowledged meanwhile.`);
  const created = await client.admin
    .createTopic({ name: 'never' }, { timeoutMs: 1_000 })
    .then(() => 'done')
    .catch((caught: unknown) => HighwaterError.from(caught).code);
  story.act(`A new topic: ${created}.`);
  story.why(
    'At acks=all the in-sync set itself is asked, and no controller. The level that rests on one node needs a lease from a majority of the controllers, and so does every change of metadata: both wait.',
  );
  claims.atLeast('Acknowledged at acks=all without controllers', writer.acknowledged - before, 50);
  claims.equals('acks=leader, without a lease', atLeader.text, 'LEASE_LOST, not-written');
  claims.equals('A topic was created without controllers', created === 'done', false);
  return second;
}

/** What passed between brokers and controllers, and what lies on the controllers' disks. */
async function judgeBytes(
  { story, claims }: Stage,
  cluster: LessonCluster,
  payload: number,
): Promise<void> {
  const { network } = cluster.processes;
  let passed = 0;
  for (const id of controllers)
    for (const { id: broker } of cluster.brokers) passed += network.passed(broker, id);
  const share = (100 * passed) / payload;
  story.look(
    `${(payload / 1e6).toFixed(1)} MB of records; ${(passed / 1e3).toFixed(0)} KB from brokers to controllers, heartbeats and all.`,
  );
  const found = await Promise.all(
    controllers.map((id) => holdsText(cluster.node(id).data, marker)),
  );
  claims.atMost('Bytes from brokers to controllers, in % of the records', share, 10);
  claims.equals('Controllers that have a record on their disk', found.filter(Boolean).length, 0);
  const brokers = await Promise.all(cluster.brokers.map(({ data }) => holdsText(data, marker)));
  claims.equals('Brokers that have it', brokers.filter(Boolean).length, 3);
}

async function holdsText(directory: string, text: string): Promise<boolean> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((one) => one.isFile())) {
    const bytes = await readFile(join(entry.parentPath, entry.name));
    if (bytes.includes(text)) return true;
  }
  return false;
}
