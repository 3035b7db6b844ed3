/**
 * Who is asked for what. What is shown: writes go to the leader, reads to any replica; a replica that is
 * behind serves the past to whoever does not mind, and a session that has written something newer waits
 * or is sent on.
 */
import { type Client, type ReaderOptions, Session } from '../../../../client/index.ts';
import { leaderWithIsr } from '../../fleet/cluster-view.ts';
import type { Lesson } from '../lesson.ts';
import type { LessonCluster } from '../lesson-cluster.ts';

const waitMs = 800;

export const routingLesson: Lesson = {
  name: 'routing',
  summary: 'Writes go to the leader, reads to any replica; a session always reads what it wrote.',
  takeaway:
    'A follower may serve the past; a session token turns that into "never behind what I wrote or saw". It is on by default and travels between services as text.',
  async play(stage) {
    const { story, claims } = stage;
    const cluster = await stage.cluster({ controllers: 1, hasProxies: true });
    const { place, processes } = cluster;
    await cluster.createTopic({ 'replica.lag.time.max.ms': '500' });
    const leader = (await cluster.leader()).id;
    const [behind = 0, other = 0] = cluster.othersThan(leader);
    const dialled: string[] = [];
    const client = await cluster.clientThrough((address, purpose) => {
      dialled.push(`${purpose} to node ${nodeAt(cluster, address)}`);
      return address;
    });
    const nodesFor = (purpose: string): string[] => [
      ...new Set(dialled.filter((one) => one.startsWith(purpose))),
    ];

    story.chapter(`Node ${leader} leads. A client writes, and reads from node ${behind}.`);
    const session = new Session();
    const producer = client.producer({ session });
    await producer.send({ ...place, value: 'old' });
    const fromFollower = await readNow(client, { ...place, readFrom: behind, session });
    story.look(`The client opened: ${[...new Set(dialled)].join(', ')}.`);
    claims.equals('Writes went to', nodesFor('produce'), [`produce to node ${leader}`]);
    claims.equals('Reads went to', nodesFor('fetch'), [`fetch to node ${behind}`]);
    claims.equals('The follower serves the record', fromFollower, ['old']);

    story.chapter(
      `Node ${behind} hears nothing from the leader any more. A newer record is written.`,
    );
    processes.network.hold(leader, behind);
    await producer.send({ ...place, value: 'older than this' }, { acks: 'leader' });
    await leaderWithIsr(cluster.client, place, 2);
    await producer.send({ ...place, value: 'new' });
    const stale = await readNow(client, { ...place, readFrom: behind, level: 'any' });
    story.act(`Read from node ${behind} without a token: ${stale.join(', ')}. That is stale.`);
    const waiting = firstAfter(client, { ...place, readFrom: behind, session });
    const early = await Promise.race([waiting, after(waitMs)]);
    story.act(`The same with the session’s token: ${early} after ${waitMs} ms.`);
    const elsewhere = await firstAfter(client, { ...place, readFrom: 'nearest', session });
    story.act(`The same, from any replica: "${elsewhere}", at once.`);
    story.why(
      'Every acknowledgement and every read moves the session’s token on: partition, epoch, offset. A replica that is behind the token does not answer with the past. It waits, or the client asks another one that is in sync.',
    );

    story.chapter('The network is whole again.');
    processes.network.heal();
    const late = await waiting;
    story.act(`Node ${behind} has caught up and answers the read that waited: "${late}".`);
    await leaderWithIsr(cluster.client, place, 3);
    const all = await readNow(client, { ...place, readFrom: other, session });
    claims.equals('Without a token the replica that is behind serves', stale, ['old']);
    claims.equals('With the token it does not answer until it has caught up', early, 'nothing yet');
    claims.equals('and then it serves what the session wrote', late, 'new');
    claims.equals('Another replica serves it at once', elsewhere, 'new');
    claims.equals('In the end all replicas have', all, ['old', 'older than this', 'new']);
  },
};

/** What is there to be read at this moment. */
async function readNow(client: Client, options: ReaderOptions): Promise<string[]> {
  const reader = client.reader({ session: new Session(), ...options, from: 'earliest' });
  const found: string[] = [];
  const reading = (async () => {
    for await (const { value } of reader) found.push(Buffer.from(value ?? '').toString());
  })();
  await reader.caughtUp();
  await reader.close();
  await reading;
  return found;
}

/** The record at offset 2, whenever it is served. */
async function firstAfter(client: Client, options: ReaderOptions): Promise<string> {
  const reader = client.reader({ ...options, from: { offset: 2n } });
  for await (const { value } of reader) return Buffer.from(value ?? '').toString();
  return 'nothing';
}

function after(ms: number): Promise<string> {
  return new Promise((resolve) => setTimeout(() => resolve('nothing yet'), ms));
}

function nodeAt(cluster: LessonCluster, address: string): number {
  return cluster.brokers.find(({ grpc }) => grpc === address)?.id ?? 0;
}
