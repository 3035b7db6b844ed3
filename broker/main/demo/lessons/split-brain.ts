/**
 * The leader is cut off from everyone but one client, and both sides are written to. What is shown: what
 * each client is told, that the old leader is fenced, and that what only it had is cut off again.
 */
import { leaderWithIsr, readReplica, until } from '../../fleet/cluster-view.ts';
import type { Lesson } from '../lesson.ts';
import type { LessonCluster } from '../lesson-cluster.ts';
import { type ProbeAnswer, Probes } from '../probes.ts';
import type { Stage } from '../stage.ts';
import { Watch } from '../watch.ts';

const aloneMs = 4_000;

export const splitBrainLesson: Lesson = {
  name: 'split-brain',
  summary:
    'A leader that is cut off is fenced; what it took alone was promised to nobody beyond that node.',
  takeaway:
    'Two nodes may both believe that they lead; only one of them can get an acknowledgement that counts, because epochs and the in-sync set leave the other nobody to ask.',
  async play(stage) {
    const { story, recording } = stage;
    const cluster = await stage.cluster({ controllers: 1, hasProxies: true });
    const { client, place, processes } = cluster;
    await cluster.createTopic();
    const old = await cluster.leader();
    const others = cluster.othersThan(old.id);
    const watch = new Watch(cluster, recording);
    stage.keep(() => watch.stop());
    const minority = await cluster.clientOf(old);
    const majority = await cluster.clientOf(...others.map((id) => cluster.node(id)));
    const [left, right] = [new Probes(), new Probes()];
    const before = await right.send(client, place, { acks: 'all' });

    story.chapter(
      `Node ${old.id} leads. It is cut off from every other node; one client still reaches it, and only it.`,
    );
    processes.network.isolate(old.id, [...others, processes.nodes.length]);
    const early = await left.send(minority, place, { acks: 'leader', idempotent: false });
    story.act(`Cut-off side, acks=leader: ${early.text}.`);
    story.why(
      'A lease is the time for which the controllers have let it lead; this one has not run out, and acks=leader asks nobody else. This is the record that can be lost.',
    );
    const waiting = left.send(minority, place, {
      acks: 'all',
      withinMs: aloneMs,
      idempotent: false,
    });
    const next = await until(
      () => leaderWithIsr(majority, place, 2),
      (leader) => leader !== old.id,
      'another leader',
    );
    story.act(`The other side has elected node ${next}. Both sides are written to.`);
    const served = await right.send(majority, place, { acks: 'all', withinMs: 10_000 });
    story.act(`Majority side, acks=all: ${served.text}.`);
    const atAll = await waiting;
    story.act(`Cut-off side, acks=all: ${atAll.text}.`);
    const late = await left.send(minority, place, { acks: 'leader', idempotent: false });
    story.act(`Cut-off side, acks=leader, once its lease is over: ${late.text}.`);
    story.why(
      'Without a word from a majority of the controllers the lease runs out, and the level that rests on one node alone is refused. At acks=all nothing can be acknowledged there: the in-sync set still names the others, and they have promised to follow no older epoch.',
    );

    story.chapter('The network is whole again.');
    processes.network.heal();
    await leaderWithIsr(client, place, 3);
    await watch.stop();
    const told = { before, early, atAll, late, served };
    await judge(stage, cluster, { old: old.id, next, told });
  },
};

interface Ending {
  readonly old: number;
  readonly next: number;
  readonly told: Readonly<Record<'before' | 'early' | 'atAll' | 'late' | 'served', ProbeAnswer>>;
}

async function judge(
  { story, claims, recording }: Stage,
  cluster: LessonCluster,
  { old, next, told }: Ending,
): Promise<void> {
  const { client, place } = cluster;
  const log = cluster.node(old).log.join('');
  const epochs = [told.early.receipt?.leaderEpoch, told.served.receipt?.leaderEpoch];
  let holdTheLost = 0;
  for (const { id } of cluster.brokers) {
    const found = await readReplica(client, place, id);
    const texts = found.map(({ value }) => value.toString());
    story.look(`Node ${id} holds: ${texts.join(' | ')}`);
    // Both sides number their writes from 0: `00000000 all` was before, `00000001 all` after the cut.
    holdTheLost += texts.some((text) => text.endsWith(' leader')) ? 1 : 0;
    claims.equals(`What node ${id} holds`, texts, ['probe 00000000 all', 'probe 00000001 all']);
  }
  story.act(
    `What the cut-off leader had acknowledged at acks=leader is on ${holdTheLost} of the nodes: its client was told "acknowledged", which is what that level risks.`,
  );
  recording.bars('How long each side waited for its answer', 'ms', [
    { label: 'cut off, acks=leader, at once', value: told.early.tookMs },
    { label: 'cut off, acks=all', value: told.atAll.tookMs },
    { label: 'cut off, acks=leader, later', value: told.late.tookMs },
    { label: 'majority, acks=all', value: told.served.tookMs },
  ]);
  claims.equals('Before the cut, acks=all', told.before.text, 'acknowledged');
  claims.equals('Cut off, acks=leader, lease held', told.early.text, 'acknowledged');
  claims.equals('Nodes that still hold that record', holdTheLost, 0);
  claims.equals('Cut off, acks=all', told.atAll.text.split(', ')[1] ?? '', 'maybe-written');
  claims.equals('Cut off, acks=leader, lease over', told.late.text, 'LEASE_LOST, not-written');
  claims.equals('Majority, acks=all', told.served.text, 'acknowledged');
  claims.equals('Another node leads', next !== old, true);
  claims.equals('It leads in a later epoch', (epochs[1] ?? 0) > (epochs[0] ?? 0), true);
  claims.equals('The old leader says that it stepped down', log.includes('stepped-down'), true);
  claims.equals('and that it cut its log', log.includes('"truncated"'), true);
}
