/**
 * Failover of each system under a steady load: SIGKILL and SIGSTOP of the leader, with everything at its
 * defaults and with the timeouts of Kafka set to ours. Losing a leader costs a system what its timeouts
 * say, so the second comparison shows what is left when those are alike.
 */
import type { BenchContext } from '../harness/bench.ts';
import { median } from '../harness/statistics.ts';
import { KafkaCluster } from '../peers/kafka-cluster.ts';
import type { Findings } from './bench.ts';
import { type Fault, kafkaGap, natsGap, ourGap } from './kills.ts';
import type { Plan } from './plan.ts';
import type { Systems } from './systems.ts';

/** Kafka's nodes as ours are by default: session 2 s, heartbeat 250 ms, election 1 s, lag 5 s. */
export const matchedKafkaNodes = [
  'broker.session.timeout.ms=2000',
  'broker.heartbeat.interval.ms=250',
  'controller.quorum.election.timeout.ms=1000',
  'controller.quorum.fetch.timeout.ms=1000',
  'replica.lag.time.max.ms=5000',
];
/** Its producer gives up a silent broker as soon as the session of that broker may have ended. */
export const matchedKafkaProducer = [
  'request.timeout.ms=2000',
  'socket.connection.setup.timeout.ms=2000',
  'socket.connection.setup.timeout.max.ms=2000',
];

/** The names of the rows; ours are matched as they are. */
const rows = {
  ours: 'highwater, defaults',
  kafka: 'kafka java, defaults',
  matched: 'kafka java, timeouts as ours',
  nats: 'nats node, defaults',
} as const;

/** Trials by row. */
type Gaps = Record<(typeof rows)[keyof typeof rows], number[]>;

interface Scene {
  readonly context: BenchContext;
  readonly systems: Systems;
  readonly matched: KafkaCluster | undefined;
  readonly gaps: Gaps;
  readonly fault: Fault;
}

export async function compareFailover(
  context: BenchContext,
  plan: Plan,
  systems: Systems,
  found: Findings,
): Promise<void> {
  context.progress('failover');
  const matched =
    'missing' in systems.kafka
      ? undefined
      : await KafkaCluster.start(await context.freshDirectory('kafka-matched'), matchedKafkaNodes);
  try {
    for (const fault of ['SIGKILL', 'SIGSTOP'] as const) {
      const gaps: Gaps = {
        [rows.ours]: [],
        [rows.kafka]: [],
        [rows.matched]: [],
        [rows.nats]: [],
      };
      const scene = { context, systems, matched, gaps, fault };
      for (let trial = 0; trial < plan.faults[fault]; trial++) await runTrial(scene, trial);
      addGaps(found, fault, gaps);
    }
  } finally {
    await matched?.stop();
  }
}

/**
 * One fault in each system, in turn. But while Kafka's producer waits for a leader that does not answer,
 * which takes it about a minute and costs no CPU, the others have their trial.
 */
async function runTrial(scene: Scene, trial: number): Promise<void> {
  const { systems, fault } = scene;
  const topic = `${fault.toLowerCase()}-${trial}`;
  const others = (): Promise<void> => runOthers(scene, topic);
  if ('missing' in systems.kafka) return others();
  const waits = fault === 'SIGSTOP';
  const { cluster } = systems.kafka;
  const meanwhile = waits ? { meanwhile: others } : {};
  await keep(scene, rows.kafka, kafkaGap(cluster, { topic, fault, ...meanwhile }));
  if (!waits) await others();
}

async function runOthers(scene: Scene, topic: string): Promise<void> {
  const { systems, fault, matched } = scene;
  const { nats } = systems;
  await keep(scene, rows.ours, ourGap(systems, fault));
  if (!('missing' in nats)) await keep(scene, rows.nats, natsGap(nats, fault, topic));
  if (matched === undefined) return;
  const trial = { topic, fault, settings: matchedKafkaProducer };
  await keep(scene, rows.matched, kafkaGap(matched, trial));
}

/** A trial that fails makes the run invalid, and the others go on. */
async function keep(
  { context, gaps, fault }: Scene,
  row: keyof Gaps,
  trial: Promise<number>,
): Promise<void> {
  try {
    const gap = await trial;
    gaps[row].push(gap);
    context.progress(`${fault} ${gaps[row].length}, ${row}: ${gap.toFixed(0)} ms`);
  } catch (caught) {
    context.invalid(`${fault}, ${row}: ${caught instanceof Error ? caught.message : 'failed'}`);
  }
}

/** Medians by row, and how many times longer than ours each is. */
function addGaps({ figures, samples }: Findings, fault: Fault, gaps: Gaps): void {
  const ours = median(gaps[rows.ours]);
  const prefix = fault === 'SIGKILL' ? 'kill' : 'stop';
  for (const [row, found] of Object.entries(gaps)) {
    if (found.length === 0) continue;
    samples[`gap_ms after ${fault}: ${row}`] = found;
    figures[`gap_ms after ${fault}: ${row}`] = median(found);
  }
  const over = { kafka: rows.kafka, kafka_matched: rows.matched, nats: rows.nats } as const;
  for (const [name, row] of Object.entries(over))
    if (Math.min(gaps[row].length, gaps[rows.ours].length) > 0)
      figures[`${prefix}_gap_${name}_over_ours`] = median(gaps[row]) / ours;
}
