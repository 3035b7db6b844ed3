/**
 * The leader is killed under load. What is shown: how long nothing is acknowledged, that every record
 * that was acknowledged is there once, and how the next leader was chosen: by asking everybody first.
 */
import { until } from '../../fleet/cluster-view.ts';
import { SteadyWriter } from '../../fleet/steady-writer.ts';
import { type ElectionSeen, electionAfter } from '../election-seen.ts';
import { judgeReplicas } from '../judge.ts';
import type { Lesson } from '../lesson.ts';
import { Watch } from '../watch.ts';

const gapMsMax = 2_500;

export const failoverLesson: Lesson = {
  name: 'failover',
  summary: 'The leader is killed under load: a short gap, nothing lost, nothing doubled.',
  takeaway:
    'Ask first, decide then: because every replica promises before it answers, no acknowledged record can hide in a replica that was not asked.',
  async play(stage) {
    const { story, claims, recording } = stage;
    const cluster = await stage.cluster();
    const { client, place } = cluster;
    await cluster.createTopic();
    const { leader } = await cluster.roles();
    const watch = new Watch(cluster, recording);
    stage.keep(() => watch.stop());
    const writer = new SteadyWriter(client, { topic: place.topic, everyMs: 2 });
    stage.keep(() => writer.stop());
    story.chapter('One partition, three replicas, a producer that sends every 2 ms at acks=all.');
    await writer.acknowledges(300);
    const before = await client.admin.describeTopic(place.topic);
    const epoch = before.partitions[0]?.leaderEpoch ?? 0;
    writer.takeLongestGapMs();

    story.chapter(`Node ${leader.id} leads in epoch ${epoch}. Its process is killed (SIGKILL).`);
    story.why(
      'The kernel closes its connections, so the others know at once. An epoch is the number of one leadership, and it only grows. The controller first commits "epoch + 1, no leader"; each replica that applies it promises to take nothing from the old leader, and answers with the highest epoch it has verified and the end of its stored log. The greatest answer wins.',
    );
    await leader.kill('SIGKILL');
    await writer.acknowledges(300);
    const gapMs = writer.takeLongestGapMs();
    const election = await electionAfter(client, place, epoch);
    story.act(`Acknowledgements again after ${gapMs.toFixed(0)} ms.`);
    tellElection(election, story.look.bind(story));

    story.chapter(`Node ${leader.id} starts again, finds that it leads no more, and catches up.`);
    leader.start();
    await until(
      () => cluster.leader(3),
      () => true,
      'all three are in sync again',
    );
    await writer.acknowledges(100);
    await writer.stop();
    await watch.stop();

    const { acknowledged } = await judgeReplicas(claims, cluster, { load: writer.history });
    story.act(`${acknowledged} records were acknowledged; every replica was read to its end.`);
    claims.equals('No send failed', writer.failed, 0);
    claims.atMost('Longest time without an acknowledgement, in ms', gapMs, gapMsMax);
    claims.atLeast('The new leader leads in a later epoch', election.epoch, epoch + 1);
    claims.equals(
      'The new leader gave the greatest answer: highest verified epoch, then longest stored log',
      election.leader,
      election.greatest,
    );
  },
};

function tellElection({ answers, leader }: ElectionSeen, look: (text: string) => void): void {
  for (const { node, epoch, end } of answers)
    look(
      `Node ${node} promised: verified epoch ${epoch}, stored end ${end}${node === leader ? '. It leads.' : '.'}`,
    );
}
