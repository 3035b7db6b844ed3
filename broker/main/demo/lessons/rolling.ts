/**
 * All nodes are restarted, one after the other, under load. What is shown: a node that is told to stop
 * hands its leaderships over first, so that no send fails.
 */
import { SteadyWriter } from '../../fleet/steady-writer.ts';
import { judgeReplicas } from '../judge.ts';
import type { Lesson } from '../lesson.ts';
import { Watch } from '../watch.ts';

export const rollingLesson: Lesson = {
  name: 'rolling',
  summary: 'All nodes are restarted one after the other under load, and no send fails.',
  takeaway:
    'A planned stop hands over instead of failing over: drain, wait until all are in sync, and only then the next node.',
  async play(stage) {
    const { story, claims, recording } = stage;
    const cluster = await stage.cluster();
    const { client, place } = cluster;
    await cluster.createTopic();
    await cluster.leader();
    const watch = new Watch(cluster, recording);
    stage.keep(() => watch.stop());
    const writer = new SteadyWriter(client, { topic: place.topic, everyMs: 5 });
    stage.keep(() => writer.stop());
    story.chapter('Three nodes, a producer that sends every 5 ms at acks=all.');
    await writer.acknowledges(100);
    story.why(
      'A node that gets SIGTERM asks the controller to move its leaderships. The old leader stops to append, the successor stores what it lacks, and only then the lead changes: nobody has to wait for a time-out.',
    );
    const gaps: { label: string; value: number }[] = [];
    const pids = new Set<number>();
    for (const node of cluster.brokers) {
      story.chapter(`Node ${node.id} is told to stop, and started again.`);
      pids.add(node.pid);
      writer.takeLongestGapMs();
      await node.kill('SIGTERM');
      node.start();
      await node.ready();
      await cluster.leader(3);
      await writer.acknowledges(20);
      const gapMs = writer.takeLongestGapMs();
      gaps.push({ label: `restart of node ${node.id}`, value: gapMs });
      story.act(
        `Back in sync. The longest time without an acknowledgement: ${gapMs.toFixed(0)} ms.`,
      );
      pids.add(node.pid);
    }
    await writer.stop();
    await watch.stop();
    recording.bars('Longest time without an acknowledgement', 'ms', gaps);
    claims.equals('Processes that have served in the end', pids.size, 6);
    claims.equals('Sends that failed', writer.failed, 0);
    await judgeReplicas(claims, cluster, { load: writer.history });
  },
};
