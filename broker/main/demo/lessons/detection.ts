/**
 * How long to wait before a silent leader is replaced. What is shown: the same two pauses of a leader
 * under sessions of 0.2, 2 and 10 s. A short session elects although the leader would have come back; a
 * long one lets everybody wait.
 */
import { SteadyWriter } from '../../fleet/steady-writer.ts';
import type { Lesson } from '../lesson.ts';
import type { LessonCluster } from '../lesson-cluster.ts';
import type { Stage } from '../stage.ts';

const sessions = [
  { sessionMs: 200, heartbeatMs: 50 },
  { sessionMs: 2_000, heartbeatMs: 250 },
  { sessionMs: 10_000, heartbeatMs: 250 },
] as const;
const pauses = [700, 4_500] as const;
/** Two replicas are enough to elect among. */
const replicas = 2;
const wholePauseMs = 4_400;

/** What one session made of the pauses. */
interface Outcome {
  readonly sessionMs: number;
  readonly elections: number;
  /** The longest gap in acknowledgements, for each pause. */
  readonly gapsMs: readonly number[];
  readonly failed: number;
}

export const detectionLesson: Lesson = {
  name: 'detection',
  summary: 'A short session elects for nothing, a long one lets everybody wait.',
  takeaway:
    'No time-out tells slow from dead. Short ones elect for nothing, long ones make everybody wait: choose the mistake that costs you less.',
  async play(stage) {
    const { story, claims, recording } = stage;
    story.act('Three clusters start side by side, with sessions of 0.2, 2 and 10 s.');
    const clusters: LessonCluster[] = [];
    for (const { sessionMs, heartbeatMs } of sessions) {
      clusters.push(
        await stage.cluster({
          nodes: replicas,
          controllers: 1,
          called: `session ${sessionMs / 1_000} s`,
          settings: {
            'session-ms': String(sessionMs),
            'heartbeat-ms': String(heartbeatMs),
            'memory-bytes': String(64 * 1024 * 1024),
          },
        }),
      );
    }
    story.chapter(
      `In each, the leader’s process is stopped for ${pauses.map((ms) => `${ms / 1_000} s`).join(', then for ')}, as a long garbage collection would. It always comes back.`,
    );
    const outcomes = await Promise.all(
      clusters.map((cluster, index) =>
        pauseLeader(stage, cluster, sessions[index]?.sessionMs ?? 0),
      ),
    );
    for (const { sessionMs, elections, gapsMs } of outcomes)
      story.act(
        `Session ${sessionMs / 1_000} s: ${elections} elections, nothing acknowledged for ${gapsMs.map((ms) => `${(ms / 1_000).toFixed(1)} s`).join(' and ')}.`,
      );
    story.why(
      'Nobody can tell a slow process from a dead one. A killed process is found by its closed connections; for a silent one the session is the bet, and 2 s the default.',
    );
    const labelled = (value: (outcome: Outcome) => number) =>
      outcomes.map((one) => ({ label: `session ${one.sessionMs / 1_000} s`, value: value(one) }));
    recording.bars(
      'Elections that were not needed',
      'elections',
      labelled(({ elections }) => elections),
    );
    recording.bars(
      'Without acknowledgements',
      's',
      labelled(({ gapsMs }) => sum(gapsMs) / 1_000),
    );
    const [short, middle, long] = outcomes;
    if (short === undefined || middle === undefined || long === undefined) return;
    claims.atLeast('Elections with 0.2 s', short.elections, 2);
    claims.atLeast('Elections with 2 s', middle.elections, 1);
    claims.atMost('and not more than with 0.2 s', middle.elections, short.elections);
    claims.equals('Elections with 10 s', long.elections, 0);
    claims.atLeast('Longest wait with 10 s, in ms: the whole pause', longest(long), wholePauseMs);
    claims.atMost('Longest wait with 2 s against 10 s, times', longest(middle) / longest(long), 1);
    // Against 2 s nothing is claimed: on a busy machine needless elections can cost more than they save.
    claims.atMost('Longest wait with 0.2 s against 10 s, times', longest(short) / longest(long), 1);
    claims.equals('Failed sends', sum(outcomes.map(({ failed }) => failed)), 0);
  },
};

async function pauseLeader(
  stage: Stage,
  cluster: LessonCluster,
  sessionMs: number,
): Promise<Outcome> {
  const { client, place } = cluster;
  await cluster.createTopic({ 'min.insync.replicas': '1' }, { replicationFactor: replicas });
  await cluster.leader(replicas);
  const writer = new SteadyWriter(client, { topic: place.topic, everyMs: 10 });
  stage.keep(() => writer.stop());
  await writer.acknowledges(50);
  const before = await electionsOf(cluster);
  const gapsMs: number[] = [];
  for (const pauseMs of pauses) {
    const leader = await cluster.leader(replicas);
    writer.takeLongestGapMs();
    leader.pause();
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    leader.resume();
    await writer.acknowledges(50);
    gapsMs.push(writer.takeLongestGapMs());
  }
  await cluster.leader(replicas);
  const elections = (await electionsOf(cluster)) - before;
  const { failed } = writer;
  await writer.stop();
  return { sessionMs, elections, gapsMs, failed };
}

/** Leaders elected so far, by the journal. */
async function electionsOf({ client, place }: LessonCluster): Promise<number> {
  let count = 0;
  const subject = `${place.topic}/${place.partition}`;
  for await (const { kind } of client.admin.events({ subject }))
    if (kind === 'leader-elected') count++;
  return count;
}

function longest({ gapsMs }: Outcome): number {
  return Math.max(...gapsMs);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
