/** The comparisons that are no throughput rows: reading, latency, memory. */
import type { BenchContext } from '../harness/bench.ts';
import { LatencyBuckets } from '../harness/latency-buckets.ts';
import { rssMegabytes } from '../harness/process-usage.ts';
import { median } from '../harness/statistics.ts';
import type { Findings } from './bench.ts';
import { kafkaConsuming, ourConsume } from './consuming.ts';
import { duelLoad } from './duel-load.ts';
import { kafkaLatency, kafkaLingers, ourLatency, type RoundLatency } from './half-load.ts';
import type { Plan } from './plan.ts';
import type { Systems } from './systems.ts';

const { valueBytes } = duelLoad;

export async function compareConsuming(
  { progress }: BenchContext,
  plan: Plan,
  systems: Systems,
  { figures, samples }: Findings,
): Promise<void> {
  progress('consuming');
  const warm = (): Promise<void> => systems.ours.warm(plan.consumeRecords * valueBytes);
  await warm();
  const mine = await ourConsume(systems, plan.consumeRecords, plan.rounds);
  samples['consume: highwater'] = mine;
  if ('missing' in systems.kafka) return;
  await warm();
  const theirs = await kafkaConsuming(systems.kafka, plan.consumeRecords, plan.rounds);
  samples['consume: kafka'] = theirs;
  figures['consume_1KB_vs_kafka'] = median(mine) / median(theirs);
}

export async function compareHalfLoad(
  { progress, invalid }: BenchContext,
  plan: Plan,
  systems: Systems,
  found: Findings,
): Promise<void> {
  const { kafka } = systems;
  const { figures, samples } = found;
  if ('missing' in kafka) return;
  const slower = Math.min(fastest(samples, 'highwater'), fastest(samples, 'kafka'));
  const recordsPerSecond = Math.round((slower * 1e6) / valueBytes / 2);
  const load = { recordsPerSecond, seconds: plan.halfLoadSeconds };
  const rounds = new Map<string, RoundLatency[]>();
  const keep = (name: string, round: RoundLatency): void => {
    rounds.set(name, [...(rounds.get(name) ?? []), round]);
    for (const fault of round.faults ?? []) invalid(`half load, ${name}: ${fault}`);
  };
  // A cold open loop measures the queue that it began with: the first round of everybody is left out.
  const warm = (): Promise<void> => systems.ours.warm(recordsPerSecond * load.seconds * valueBytes);
  await ourLatency(systems, load);
  for (const linger of kafkaLingers)
    await kafkaLatency(kafka, load, { topic: `half-cold-linger-${linger}`, linger });
  for (let round = 0; round < plan.rounds; round++) {
    progress(`latency at ${recordsPerSecond} records/s, ${round + 1}/${plan.rounds}`);
    await warm();
    keep('highwater', await ourLatency(systems, load));
    for (const linger of kafkaLingers) {
      const topic = `half-${round}-linger-${linger}`;
      await warm();
      keep(`kafka java, linger ${linger}`, await kafkaLatency(kafka, load, { topic, linger }));
    }
  }
  for (const [name, latencies] of rounds) addLatency(found, name, latencies);
  const medians = [...rounds].map(([name, latencies]) => ({
    isOurs: name === 'highwater',
    p99: median(latencies.map(({ p99 }) => p99)),
  }));
  const best = (isOurs: boolean): number =>
    Math.min(...medians.filter((one) => one.isOurs === isOurs).map(({ p99 }) => p99));
  figures['half_load_records_per_s'] = recordsPerSecond;
  figures['p99_half_load_vs_kafka'] = best(true) / best(false);
}

function addLatency(
  { samples, figures, histograms }: Findings,
  name: string,
  latencies: readonly RoundLatency[],
): void {
  const buckets = new LatencyBuckets();
  for (const round of latencies) buckets.add(round.buckets);
  histograms[`half load: ${name}`] = buckets.all;
  for (const percentile of ['p50', 'p99'] as const) {
    const values = latencies.map((round) => round[percentile]);
    samples[`${percentile}_ms at half load: ${name}`] = values;
    figures[`${percentile}_ms at half load: ${name}`] = median(values);
  }
}

/** MB/s of a system's best setting at 1 KB in the page cache, over as many partitions as the load here has. */
function fastest(samples: Findings['samples'], system: string): number {
  const partitions = `, ${duelLoad.partitions} p`;
  const medians = Object.entries(samples)
    .filter(([name]) => name.startsWith(`os_1KB: ${system}`) && name.endsWith(partitions))
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
