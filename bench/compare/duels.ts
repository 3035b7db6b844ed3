/** The comparisons that are no throughput rows: reading, latency, memory, failover. */
import type { BenchContext } from '../harness/bench.ts';
import { rssMegabytes } from '../harness/process-usage.ts';
import { median } from '../harness/statistics.ts';
import type { Findings } from './bench.ts';
import { kafkaConsuming, ourConsume } from './consuming.ts';
import { kafkaP99, ourP99 } from './half-load.ts';
import { type Fault, kafkaGap, natsGap, ourGap } from './kills.ts';
import type { Plan } from './plan.ts';
import type { Systems } from './systems.ts';

export async function compareConsuming(
  { progress }: BenchContext,
  plan: Plan,
  systems: Systems,
  { figures, samples }: Findings,
): Promise<void> {
  progress('consuming');
  const mine = await ourConsume(systems, plan.consumeRecords, plan.rounds);
  samples['consume: highwater'] = mine;
  if ('missing' in systems.kafka) return;
  const theirs = await kafkaConsuming(systems.kafka, plan.consumeRecords, plan.rounds);
  samples['consume: kafka'] = theirs;
  figures['consume_1KB_vs_kafka'] = median(mine) / median(theirs);
}

export async function compareHalfLoad(
  { progress }: BenchContext,
  plan: Plan,
  systems: Systems,
  { figures, samples }: Findings,
): Promise<void> {
  const { kafka } = systems;
  if ('missing' in kafka) return;
  const slower = Math.min(fastest(samples, 'highwater'), fastest(samples, 'kafka'));
  const recordsPerSecond = (slower * 1e6) / 1024 / 2;
  const load = { recordsPerSecond, seconds: plan.halfLoadSeconds };
  const mine: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < plan.rounds; round++) {
    progress(`latency at ${Math.round(recordsPerSecond)} records/s, ${round + 1}/${plan.rounds}`);
    mine.push(await ourP99(systems, load));
    theirs.push(await kafkaP99(kafka, load, `half-${round}`));
  }
  samples['p99_ms at half load: highwater'] = mine;
  samples['p99_ms at half load: kafka'] = theirs;
  figures['half_load_records_per_s'] = recordsPerSecond;
  figures['p99_half_load_vs_kafka'] = median(mine) / median(theirs);
}

/** MB/s of a system's best setting at 1 KB in the page cache. */
function fastest(samples: Findings['samples'], system: string): number {
  const medians = Object.entries(samples)
    .filter(([name]) => name.startsWith(`os_1KB: ${system}`))
    .map(([, values]) => median(values));
  return Math.max(...medians);
}

/** Resident memory of a node, the mean of three, after everything above. */
export function compareMemory(systems: Systems, { figures }: Findings): void {
  const mean = (nodes: Iterable<{ readonly pid: number }>): number => {
    const sizes = [...nodes].map(({ pid }) => rssMegabytes(pid));
    return sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
  };
  const mine = mean(systems.ours.cluster.nodes);
  figures['rss_MB: highwater'] = mine;
  if (!('missing' in systems.nats)) figures['rss_MB: nats'] = mean(systems.nats.cluster.nodes);
  if ('missing' in systems.kafka) return;
  const theirs = mean(systems.kafka.cluster.nodes);
  figures['rss_MB: kafka'] = theirs;
  figures['rss_vs_kafka'] = mine / theirs;
}

export async function compareKills(
  context: BenchContext,
  plan: Plan,
  systems: Systems,
  { figures, samples }: Findings,
): Promise<void> {
  const trials = [
    { fault: 'SIGKILL', count: plan.kills },
    { fault: 'SIGSTOP', count: plan.pauses },
  ] as const;
  for (const { fault, count } of trials) {
    const gaps = await trialsOf(context, systems, fault, count);
    for (const [system, found] of Object.entries(gaps))
      if (found.length > 0) samples[`gap_ms after ${fault}: ${system}`] = found;
    if (fault === 'SIGKILL' && gaps.kafka.length > 0)
      figures['kill_gap_kafka_over_ours'] = median(gaps.kafka) / median(gaps.highwater);
  }
}

async function trialsOf(
  { progress }: BenchContext,
  systems: Systems,
  fault: Fault,
  count: number,
): Promise<Record<'highwater' | 'kafka' | 'nats', number[]>> {
  const { kafka, nats } = systems;
  const gaps = { highwater: [] as number[], kafka: [] as number[], nats: [] as number[] };
  for (let trial = 0; trial < count; trial++) {
    const topic = `${fault.toLowerCase()}-${trial}`;
    gaps.highwater.push(await ourGap(systems, fault));
    if (!('missing' in kafka)) gaps.kafka.push(await kafkaGap(kafka, fault, topic));
    if (!('missing' in nats)) gaps.nats.push(await natsGap(nats, fault, topic));
    const told = Object.entries(gaps).map(([name, found]) => `${name} ${found.at(-1)?.toFixed(0)}`);
    progress(`${fault} ${trial + 1}/${count}, gap in ms: ${told.join(', ')}`);
  }
  return gaps;
}
