/** Highwater beside Kafka and NATS JetStream: the same loads, on the same machine, in turns. */
import { type Bench, type BenchContext, type BenchOutcome, isGoalMet } from '../harness/bench.ts';
import type { LatencyBucket } from '../harness/latency-buckets.ts';
import { median } from '../harness/statistics.ts';
import { measureCeilings } from './ceilings.ts';
import { compareConsuming, compareHalfLoad, compareMemory } from './duels.ts';
import { compareFailover } from './failover.ts';
import { goals } from './goals.ts';
import { parityOf } from './parity.ts';
import { type Plan, planOf } from './plan.ts';
import { reasonOf } from './reasons.ts';
import { writeReport } from './report.ts';
import { bestOf, makeRows, type Row } from './rows.ts';
import { type Systems, startSystems } from './systems.ts';

export const compareBench: Bench = {
  name: 'compare',
  purpose: 'The same loads on Highwater, Apache Kafka and NATS JetStream, interleaved.',
  goals,
  async run(context) {
    const plan = planOf(context.isQuick);
    const ceilings = await measureCeilings(context, plan);
    const systems = await startSystems({ ...context, directory: context.freshDirectory });
    try {
      const measured = await measure(context, plan, systems);
      const figures = { ...measured.figures, ...ceilings };
      const parity = { ...measured.parity, not_reached: notReached(figures) };
      const outcome = { ...measured, figures, parity };
      context.progress(`report: ${await writeReport(outcome)}`);
      return outcome;
    } finally {
      await systems.close();
    }
  },
};

/** What a part of the comparison adds. */
export interface Findings {
  readonly figures: Record<string, number>;
  readonly samples: Record<string, readonly number[]>;
  readonly histograms: Record<string, readonly LatencyBucket[]>;
}

async function measure(context: BenchContext, plan: Plan, systems: Systems): Promise<BenchOutcome> {
  const found: Findings = { figures: {}, samples: {}, histograms: {} };
  const rows = makeRows(systems);
  const { first, others } = plan.warmUpRoundsMax;
  for (const [at, row] of rows.entries())
    await runRow(context, plan, { row, warmUpRoundsMax: at === 0 ? first : others });
  for (const row of rows) addRow(found, row);
  await compareConsuming(context, plan, systems, found);
  await compareHalfLoad(context, plan, systems, found);
  compareMemory(systems, found);
  await compareFailover(context, plan, systems, found);
  return { ...found, parity: parityOf(plan, rows), skipped: skippedOf(systems) };
}

/** Everybody warms up, then runs in turns; the order turns around every round. */
async function runRow(
  { progress }: BenchContext,
  plan: Plan,
  { row, warmUpRoundsMax }: { readonly row: Row; readonly warmUpRoundsMax: number },
): Promise<void> {
  progress(`${row.name}: warming up`);
  for (const runner of row.runners) await runner.warmUp(plan.warmUpSeconds, warmUpRoundsMax);
  for (let round = 0; round < plan.rounds; round++) {
    const order = round % 2 === 0 ? row.runners : [...row.runners].reverse();
    for (const runner of order) {
      const rate = await runner.measure(plan.roundSeconds);
      const megabytes = (rate * row.valueBytes) / 1e6;
      progress(
        `${row.name} ${round + 1}/${plan.rounds}  ${runner.contestant.name}: ${megabytes.toFixed(1)} MB/s`,
      );
    }
  }
}

/** Samples in MB/s by contestant, what they cost, and the ratios of the best medians. */
function addRow({ figures, samples }: Findings, row: Row): void {
  for (const { contestant, shown } of row.runners) {
    const name = `${row.name}: ${contestant.name}`;
    samples[name] = shown.map(({ recordsPerSecond }) => (recordsPerSecond * row.valueBytes) / 1e6);
    figures[`MB_per_s ${name}`] = median(samples[name]);
    for (const cost of ['nodesCpuPerGB', 'clientCpuPerGB'] as const) {
      const key = `cpu_s_per_GB_${cost === 'nodesCpuPerGB' ? 'nodes' : 'client'} ${name}`;
      figures[key] = median(shown.map((round) => round[cost]));
    }
  }
  const best = bestOf(row, 'highwater') ?? Number.NaN;
  for (const { key, against } of row.figures) {
    const reference = bestOf(row, against);
    if (reference !== undefined) figures[key] = best / reference;
  }
}

/** The goals that this run has missed, each with what is known of it. */
function notReached(figures: Readonly<Record<string, number>>): readonly string[] {
  return goals
    .filter((goal) => {
      const figure = figures[goal.key];
      return figure !== undefined && !isGoalMet(goal, figure);
    })
    .map(({ key }) => `${key}: ${reasonOf(key)}`);
}

/** Every key that needs a peer that is not there. */
function skippedOf({ kafka, nats }: Systems): Record<string, string> {
  const skipped: Record<string, string> = {};
  for (const { key } of goals) {
    if (key === 'single_1KB_vs_nats') {
      if ('missing' in nats) skipped[key] = nats.missing;
    } else if ('missing' in kafka) skipped[key] = kafka.missing;
  }
  return skipped;
}
