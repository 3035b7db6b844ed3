/**
 * Semi-sync when nobody answers in time. What is shown: a topic may choose between failing and going on
 * as `leader`; what goes on says so in every receipt, and stops by itself once followers answer again.
 */
import type { Acks } from '../../../../client/index.ts';
import { leaderWithIsr, until } from '../../fleet/cluster-view.ts';
import type { Lesson } from '../lesson.ts';
import { Probes } from '../probes.ts';

const timeoutMs = 500;
const strict = { topic: 'strict', partition: 0 } as const;
const degradedGauge = 'highwater_partitions_semi_sync_degraded';
const acks = 'semi-sync' satisfies Acks;

export const semiSyncDegradeLesson: Lesson = {
  name: 'semi-sync-degrade',
  summary: 'A topic may let semi-sync go on as leader, and then every answer says so.',
  takeaway:
    'Degrading is a choice between waiting and promising less. Whoever chooses it should be told each time, as the receipts here do.',
  async play(stage) {
    const { story, claims, recording } = stage;
    const cluster = await stage.cluster({ controllers: 1, hasProxies: true });
    const { client, place, processes } = cluster;
    const settings = { 'semi.sync.timeout.ms': String(timeoutMs) };
    await cluster.createTopic({ ...settings, 'semi.sync.on.timeout': 'degrade' });
    const leader = await cluster.leader();
    const followers = cluster.othersThan(leader.id);
    await client.admin.createTopic({
      name: strict.topic,
      assignment: [[leader.id, ...followers]],
      config: settings,
    });
    await leaderWithIsr(client, strict, 3);
    const [probes, strictProbes] = [new Probes(), new Probes()];
    const send = () => probes.send(client, place, { acks, withinMs: 5_000 });
    const plot = recording.lines('Time to the answer', 'ms', 'steps');

    story.chapter('Two topics of three replicas: orders degrades, strict fails (the default).');
    const normal = await send();
    await strictProbes.send(client, strict, { acks, withinMs: 5_000 });
    recording.point(plot, 'orders', normal.tookMs);
    story.act(`acks=semi-sync: stored by nodes ${normal.receipt?.storedBy.join(' and ') ?? ''}.`);

    story.chapter(`Nothing of node ${leader.id} reaches its followers any more.`);
    for (const id of followers) processes.network.hold(leader.id, id);
    const degraded = await send();
    recording.point(plot, 'orders', degraded.tookMs);
    story.act(
      `orders: ${degraded.text} after ${degraded.tookMs.toFixed(0)} ms, degraded, stored by node ${degraded.receipt?.storedBy.join(' and ') ?? ''} alone.`,
    );
    const gauge = await leader.metric(degradedGauge);
    const next = await send();
    recording.point(plot, 'orders', next.tookMs);
    story.act(`The next one does not wait again: ${next.tookMs.toFixed(0)} ms.`);
    const failed = await strictProbes.send(client, strict, { acks, withinMs: 1_200 });
    story.act(`strict: ${failed.text} after ${failed.tookMs.toFixed(0)} ms.`);
    story.why(
      `Both are honest. The record that strict could not promise may be stored, so the answer is "maybe written". MySQL’s semi-sync degrades at a time-out and no client hears of it; here every receipt says so, the node’s log has the event, and a gauge rises.`,
    );

    story.chapter('The followers are back.');
    processes.network.heal();
    await leaderWithIsr(client, place, 3);
    const recovered = await until(
      send,
      ({ receipt }) => receipt?.isDegraded === false,
      'semi-sync without a mark',
    );
    recording.point(plot, 'orders', recovered.tookMs);
    story.act(
      `acks=semi-sync again: stored by nodes ${recovered.receipt?.storedBy.join(' and ') ?? ''}.`,
    );
    const events = leader.log.join('');
    const gaugeAfter = await leader.metric(degradedGauge);
    claims.equals('Degraded while all is well', normal.receipt?.isDegraded ?? true, false);
    claims.equals(
      'Degraded with the followers cut off',
      degraded.receipt?.isDegraded ?? false,
      true,
    );
    claims.equals('Then stored by', degraded.receipt?.storedBy ?? [], [leader.id]);
    claims.atLeast('It waited for the topic’s time first, in ms', degraded.tookMs, timeoutMs - 50);
    claims.equals('The next one is degraded as well', next.receipt?.isDegraded ?? false, true);
    claims.equals(`${degradedGauge}, then and after`, [gauge ?? -1, gaugeAfter ?? -1], [1, 0]);
    claims.equals('The strict topic says', failed.text.split(', ')[1] ?? '', 'maybe-written');
    claims.atLeast('Stored by, once they are back', recovered.receipt?.storedBy.length ?? 0, 2);
    claims.equals(
      'Events of the leader',
      [events.includes('semi-sync-degraded'), events.includes('semi-sync-recovered')],
      [true, true],
    );
  },
};
