/** Highwater beside Kafka and NATS JetStream: the same loads, on the same machine, in turns. */
import type { Bench, BenchContext, BenchOutcome } from '../harness/bench.ts';
import { median } from '../harness/statistics.ts';
import { measureCeilings } from './ceilings.ts';
import { compareConsuming, compareHalfLoad, compareKills, compareMemory } from './duels.ts';
import { goals } from './goals.ts';
import { parityOf } from './parity.ts';
import { type Plan, planOf } from './plan.ts';
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
      const outcome = await measure(context, plan, systems);
      const figures = { ...outcome.figures, ...ceilings };
      const path = await writeReport({ ...outcome, figures });
      context.progress(`report: ${path}`);
      return { ...outcome, figures };
    } finally {
      await systems.close();
    }
  },
};

/** What a part of the comparison adds. */
export interface Findings {
  readonly figures: Record<string, number>;
  readonly samples: Record<string, readonly number[]>;
}

async function measure(context: BenchContext, plan: Plan, systems: Systems): Promise<BenchOutcome> {
  const found: Findings = { figures: {}, samples: {} };
  const rows = makeRows(systems);
  for (const row of rows) await runRow(context, plan, row);
  for (const row of rows) addRow(found, row);
  await compareConsuming(context, plan, systems, found);
  await compareHalfLoad(context, plan, systems, found);
  compareMemory(systems, found);
  await compareKills(context, plan, systems, found);
  return { ...found, parity: parityOf(plan, rows), skipped: skippedOf(systems) };
}

/** Everybody warms up once, then runs in turns; the order turns around every round. */
async function runRow({ progress }: BenchContext, plan: Plan, row: Row): Promise<void> {
  for (const runner of row.runners) await runner.warmUp(plan.warmUpSeconds);
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

/** Samples in MB/s by contestant; ratios of the best medians. */
function addRow({ figures, samples }: Findings, row: Row): void {
  for (const { contestant, rates } of row.runners) {
    const megabytes = rates.map((rate) => (rate * row.valueBytes) / 1e6);
    samples[`${row.name}: ${contestant.name}`] = megabytes;
    figures[`MB_per_s ${row.name}: ${contestant.name}`] = median(megabytes);
  }
  const best = bestOf(row, 'highwater') ?? Number.NaN;
  for (const { key, against } of row.figures) {
    const reference = bestOf(row, against);
    if (reference !== undefined) figures[key] = best / reference;
  }
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
