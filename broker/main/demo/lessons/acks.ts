/**
 * One load at all four levels, through one crash. What is shown: what each level costs in time, beside
 * what the crash of the leader took of what was acknowledged.
 */
import type { Acks } from '../../../../client/index.ts';
import { leaderWithIsr, readReplica, until } from '../../fleet/cluster-view.ts';
import { SteadyWriter } from '../../fleet/steady-writer.ts';
import type { Lesson } from '../lesson.ts';
import type { LessonCluster } from '../lesson-cluster.ts';
import { quantile } from '../quantile.ts';
import type { Stage } from '../stage.ts';

const levels = ['none', 'leader', 'semi-sync', 'all'] as const satisfies readonly Acks[];
const topic = 'orders';
const aloneMs = 400;
const load = { everyMs: 10, valueBytes: 500, warm: 300 } as const;

interface LevelLoad {
  readonly acks: Acks;
  readonly partition: number;
  readonly writer: SteadyWriter;
  /** Milliseconds to the acknowledgement, before the fault. */
  readonly latencies: number[];
}

export const acksLesson: Lesson = {
  name: 'acks',
  summary: 'One load at all four levels: what each costs, and what a crash takes of it.',
  takeaway:
    'Choose the level by what you could not explain to have lost; the price is the wait for the slowest replica that has to answer.',
  async play(stage) {
    const { story } = stage;
    const cluster = await stage.cluster({ controllers: 1, hasProxies: true });
    const { client, processes } = cluster;
    await client.admin.createTopic({ name: topic, assignment: levels.map(() => [1, 2, 3]) });
    for (const partition of levels.keys()) await leaderWithIsr(client, { topic, partition }, 3);
    let isWhole = true;
    const loads = levels.map((acks, partition): LevelLoad => {
      const latencies: number[] = [];
      const onAcknowledged = (ms: number): void => {
        if (isWhole) latencies.push(ms);
      };
      const writer = new SteadyWriter(client, { topic, partition, acks, ...load, onAcknowledged });
      stage.keep(() => writer.stop());
      return { acks, partition, writer, latencies };
    });
    story.chapter('Four partitions with one leader, the same load on each, at four levels.');
    await Promise.all(loads.map(({ writer }) => writer.acknowledges(load.warm)));
    for (const { acks, latencies } of loads) story.act(`${acks}: ${latencyText(latencies)}`);
    isWhole = false;

    story.chapter(`Node 1, which leads all four, is cut off; after ${aloneMs} ms it is killed.`);
    processes.network.isolate(1, [2, 3, 4]);
    await new Promise((resolve) => setTimeout(resolve, aloneMs));
    await processes.node(1).kill('SIGKILL');
    processes.network.drop(1);
    processes.network.heal();
    for (const partition of levels.keys()) await leaderWithIsr(client, { topic, partition }, 2);
    story.why(
      'For none the producer calls a record sent when it has left; for leader when one disk has it. The others wait until it is where this crash cannot reach.',
    );
    await Promise.all(loads.map(({ writer }) => writer.acknowledges(50)));
    await Promise.all(loads.map(({ writer }) => writer.stop()));
    await judge(stage, cluster, loads);
  },
};

async function judge(
  { story, claims, recording }: Stage,
  cluster: LessonCluster,
  loads: readonly LevelLoad[],
): Promise<void> {
  const lost = new Map<Acks, number>();
  story.chapter('What was acknowledged is looked for in what is left.');
  for (const { acks, partition, writer } of loads) {
    const read = () => readReplica(cluster.client, { topic, partition });
    const isSafe = acks === 'semi-sync' || acks === 'all';
    const found = isSafe
      ? await until(
          read,
          (records) => writer.history.missing(records).length === 0,
          `all of ${acks}`,
          5_000,
        ).catch(read)
      : await read();
    const missing = writer.history.missing(found).length;
    lost.set(acks, missing);
    story.look(`${acks}: ${missing} of ${writer.acknowledged} acknowledged records are gone.`);
  }
  const p50 = (acks: Acks): number =>
    quantile(loads.find((one) => one.acks === acks)?.latencies ?? [], 0.5);
  for (const [share, name] of [
    [0.5, 'Median'],
    [0.99, '99th percentile'],
  ] as const) {
    recording.bars(
      `${name} time to the acknowledgement`,
      'ms',
      loads.map(({ acks, latencies }) => ({ label: acks, value: quantile(latencies, share) })),
    );
  }
  recording.bars(
    'Acknowledged records that the crash took',
    'records',
    loads.map(({ acks }) => ({ label: acks, value: lost.get(acks) ?? 0 })),
  );
  claims.atLeast('Lost at acks=none', lost.get('none') ?? 0, 1);
  claims.atLeast('Lost at acks=leader', lost.get('leader') ?? 0, 1);
  claims.equals('Lost at acks=semi-sync', lost.get('semi-sync') ?? -1, 0);
  claims.equals('Lost at acks=all', lost.get('all') ?? -1, 0);
  claims.atMost('Median at acks=none against acks=all, times', p50('none') / p50('all'), 1);
}

function latencyText(latencies: readonly number[]): string {
  const text = (share: number): string => quantile(latencies, share).toFixed(1);
  return `p50 ${text(0.5)} ms, p99 ${text(0.99)} ms to the acknowledgement`;
}
