/**
 * What each level promises, by the crash that tells them apart: the leader is cut off, answers what it
 * may, and dies. Then the bound of the promise: both holders of a record lose their storage at once,
 * and the partition waits until an operator accepts the loss.
 */
import { rm } from 'node:fs/promises';
import type { Acks } from '../../../../client/index.ts';
import { leaderWithIsr, partitionInfo, readReplica, until } from '../../fleet/cluster-view.ts';
import type { Lesson } from '../lesson.ts';
import type { LessonCluster } from '../lesson-cluster.ts';
import type { Stage } from '../stage.ts';

/** Partition 0 is written at `leader`, and so on. */
const levels = ['leader', 'semi-sync', 'all'] as const satisfies readonly Acks[];
const topic = 'orders';
const bound = { topic: 'bound', partition: 0 } as const;
const unansweredMs = 700;
const waitsMs = 2_500;

export const asyncLossLesson: Lesson = {
  name: 'async-loss',
  summary:
    'A record acknowledged by the leader alone can die with it; at semi-sync and all it does not.',
  takeaway:
    'An acknowledgement is worth what has to fail before the record is gone: the leader at acks=leader, k replicas together at semi-sync. Beyond that the partition waits for you instead of pretending.',
  async play(stage) {
    const cluster = await stage.cluster({ controllers: 1, hasProxies: true });
    await sameCrash(stage, cluster);
    await theBound(stage, cluster);
  },
};

/** Three partitions with one leader, a record for each level, one crash. */
async function sameCrash({ story, claims }: Stage, cluster: LessonCluster): Promise<void> {
  const { client, processes } = cluster;
  const placement = [1, 2, 3];
  await client.admin.createTopic({ name: topic, assignment: levels.map(() => placement) });
  const producer = client.producer();
  const send = (value: string) =>
    levels.map((acks, partition) => producer.send({ topic, partition, value }, { acks }));
  for (const partition of levels.keys()) await leaderWithIsr(client, { topic, partition }, 3);
  await Promise.all(send('before'));

  story.chapter('Node 1 leads three partitions. Its network is cut; its clients still reach it.');
  story.act(`One record is sent to each: at acks=${levels.join(', acks=')}.`);
  processes.network.isolate(1, [2, 3, 4]);
  const sends = send('alone');
  const answers = await Promise.all(sends.map(answeredWithin));
  levels.forEach((acks, index) => story.look(`acks=${acks}: ${answers[index] ?? ''}`));
  story.why(
    'acks=leader needs nobody else. semi-sync wants k replicas (here 2 of 3) and all wants the whole in-sync set: both wait for a follower, and none can be reached.',
  );

  story.chapter('Node 1 is killed with what only it had. The network is whole again.');
  await processes.node(1).kill('SIGKILL');
  processes.network.drop(1);
  processes.network.heal();
  for (const partition of levels.keys()) await leaderWithIsr(client, { topic, partition }, 2);
  await Promise.all(sends.slice(1));
  story.act(
    'The producer has sent the two unanswered records again, to the new leader, and they are acknowledged.',
  );
  cluster.node(1).start();
  for (const [partition, acks] of levels.entries()) {
    await leaderWithIsr(client, { topic, partition }, 3);
    const survives = acks !== 'leader';
    for (const node of placement) {
      const found = await textsOf(cluster, { topic, partition, node }, survives ? 2 : 1);
      claims.equals(
        `Written at acks=${acks}, read from node ${node}`,
        found,
        survives ? ['before', 'alone'] : ['before'],
      );
    }
  }
  claims.equals('Answered before the crash: acks=leader', answers[0] ?? '', 'acknowledged');
  claims.equals('Answered before the crash: acks=semi-sync', answers[1] ?? '', 'unanswered');
  claims.equals('Answered before the crash: acks=all', answers[2] ?? '', 'unanswered');
  story.act(
    'Every replica was read to its end; the verdict sets what each has beside what was acknowledged.',
  );
}

/** The leader and its only acker lose their storage together. */
async function theBound({ story, claims }: Stage, cluster: LessonCluster): Promise<void> {
  const { client, processes } = cluster;
  await client.admin.createTopic({ name: bound.topic, assignment: [[2, 3, 1]] });
  await leaderWithIsr(client, bound, 3);
  const producer = client.producer({ acks: 'semi-sync' });
  // At `semi-sync` two would be enough, and node 1 might be cut off before it has this one.
  await producer.send({ ...bound, value: 'on all three' }, { acks: 'all' });

  story.chapter('The bound: node 2 leads, node 1 is cut off from 2 and 3, a record at semi-sync.');
  processes.network.isolate(1, [2, 3]);
  const receipt = await producer.send({ ...bound, value: 'on two' });
  const holders = [...receipt.storedBy].sort((a, b) => a - b);
  story.act(`Acknowledged; stored by nodes ${holders.join(' and ')}: k is 2 of 3.`);
  story.act('Nodes 2 and 3 are killed, and their disks are emptied.');
  await Promise.all([2, 3].map((id) => processes.node(id).kill('SIGKILL')));
  for (const id of [2, 3]) {
    processes.network.drop(id);
    await rm(processes.node(id).data, { recursive: true, force: true });
  }
  processes.network.heal();
  for (const id of [2, 3]) processes.node(id).start();
  await Promise.all([2, 3].map((id) => processes.node(id).ready()));
  story.why(
    'Semi-sync survives the loss of any k − 1 = 1 replica. Here two of the replicas that may hold acknowledged records came back empty, so what node 1 has may be too short. The partition waits instead of serving it as if it were whole.',
  );
  const leaderless = await staysWithoutLeader(cluster);
  const { waitingFor } = await partitionInfo(client, bound);
  story.look(`${bound.topic}/0 has no leader: ${waitingFor}`);

  story.chapter('An operator asks what would be lost, and accepts it.');
  const { candidates } = await client.admin.elect(bound, { unclean: true, dryRun: true });
  for (const { node, storedEnd, suspect, why } of candidates)
    story.look(
      `highwater cluster elect bound/0 --dry-run: node ${node}${suspect ? ', suspect' : ''}, stored end ${storedEnd}, ${why}`,
    );
  await client.admin.elect(bound, { unclean: true, leader: 1 });
  await until(
    () => partitionInfo(client, bound),
    ({ leader }) => leader === 1,
    'node 1 leads',
  );
  const found = await textsOf(cluster, { ...bound, node: 1 }, 1);
  claims.equals('Holders of the record at semi-sync', holders, [2, 3]);
  claims.equals('The partition waited for the operator', leaderless, true);
  claims.equals('It said for whom', waitingFor !== '', true);
  claims.equals(
    'The preview names node 1 and where its log ends',
    candidates.some(({ node, storedEnd }) => node === 1 && storedEnd === 1n),
    true,
  );
  claims.equals('What is left after the accepted loss', found, ['on all three']);
}

function answeredWithin(send: Promise<unknown>): Promise<string> {
  return Promise.race([
    send.then(() => 'acknowledged'),
    new Promise<string>((resolve) => setTimeout(() => resolve('unanswered'), unansweredMs)),
  ]);
}

/** True if nobody leads for as long as an ordinary election would take several times over. */
async function staysWithoutLeader({ client }: LessonCluster): Promise<boolean> {
  const until = performance.now() + waitsMs;
  while (performance.now() < until) {
    const { leader } = await partitionInfo(client, bound);
    if (leader !== undefined) return false;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return true;
}

/** What one replica serves, once it serves so many records. */
async function textsOf(
  { client }: LessonCluster,
  { node, ...place }: { readonly topic: string; readonly partition: number; readonly node: number },
  count: number,
): Promise<string[]> {
  const read = async () =>
    (await readReplica(client, place, node)).map(({ value }) => value.toString());
  return until(read, (texts) => texts.length >= count, `${count} records`, 3_000).catch(read);
}
