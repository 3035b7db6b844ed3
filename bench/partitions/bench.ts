/** What many partitions cost: saturated, acknowledged after a flush, and idle. */
import type { Bench, BenchContext, BenchOutcome } from '../harness/bench.ts';
import { interleave, ratios } from '../harness/rounds.ts';
import { median } from '../harness/statistics.ts';
import { memoryIsWarm } from '../harness/warm-memory.ts';
import { LoadCluster, type RoundResult } from '../load/load-cluster.ts';
import { measureIdle } from './idle.ts';

const valueBytes = 1024;
const inFlightBytes = 64 * 1024 * 1024;
/** Before the clock runs: each partition has a file, and the clients and nodes have warm code. */
const warmUpBytes = 64e6;
const osCounts = ['10', '1000', '3000'] as const;
const ackCounts = ['1', '100', '1000'] as const;

export const partitionsBench: Bench = {
  name: 'partitions',
  purpose: 'Throughput over many partitions, and what 10,000 idle ones cost.',
  goals: [
    {
      key: 'throughput_1000_vs_10',
      goal: { atLeast: 0.8 },
      meaning: '1,000 partitions ÷ 10, saturated, page cache',
    },
    { key: 'throughput_3000_vs_10', goal: { atLeast: 0.5 }, meaning: '3,000 partitions ÷ 10' },
    {
      key: 'idle_cpu_percent_10000',
      goal: { atMost: 3 },
      meaning: 'of one core, the busiest node, 10,000 idle partitions of three replicas',
    },
    { key: 'rss_MB_10000', goal: { atMost: 512 }, meaning: 'RssAnon of the largest node then' },
    {
      key: 'ack_100_vs_1',
      goal: { atLeast: 0.6 },
      meaning: 'flushed before the ack, 100 partitions ÷ 1, saturated',
    },
    { key: 'ack_1000_vs_1', goal: { atLeast: 0.25 }, meaning: '1,000 partitions ÷ 1' },
  ],
  async run(context) {
    const idle = await measureIdle(context, 10_000);
    const ours = await LoadCluster.start(await context.freshDirectory('cluster'), context.invalid);
    try {
      const saturated = await measureSaturated(context, ours);
      return {
        figures: { ...saturated.figures, ...idle },
        samples: saturated.samples,
        parity,
      };
    } finally {
      await ours.close();
    }
  },
};

async function measureSaturated(
  context: BenchContext,
  ours: LoadCluster,
): Promise<Pick<BenchOutcome, 'figures' | 'samples'>> {
  const bytes = context.isQuick ? 160e6 : 1e9;
  const cpu: Record<string, number[]> = {};
  const contender = <Name extends string>(name: Name, flush: 'os' | 'ack') => ({
    name,
    measure: async (): Promise<number> => {
      const result = await produceInto(ours, { partitions: Number(name), flush, bytes });
      (cpu[`${flush}_${name}_cpu_s_per_GB_nodes`] ??= []).push(result.nodesCpuPerGB);
      context.progress(`${flush} ${name}: ${result.megabytesPerSecond.toFixed(0)} MB/s`);
      return result.megabytesPerSecond;
    },
  });
  const roundCount = context.isQuick ? 3 : 5;
  const os = osCounts.map((name) => contender(name, 'os'));
  await interleave(1, os.slice(0, 1)); // The compiler settles first.
  for (const key of Object.keys(cpu)) cpu[key] = [];
  const osRounds = await interleave(roundCount, os);
  const ackRounds = await interleave(
    roundCount,
    ackCounts.map((name) => contender(name, 'ack')),
  );
  const samples: Record<string, readonly number[]> = {
    throughput_1000_vs_10: ratios(osRounds['1000'], osRounds['10']),
    throughput_3000_vs_10: ratios(osRounds['3000'], osRounds['10']),
    ack_100_vs_1: ratios(ackRounds['100'], ackRounds['1']),
    ack_1000_vs_1: ratios(ackRounds['1000'], ackRounds['1']),
    ...cpu,
  };
  for (const name of osCounts) samples[`os_${name}_MB_per_s`] = osRounds[name];
  for (const name of ackCounts) samples[`ack_${name}_MB_per_s`] = ackRounds[name];
  const figures = Object.fromEntries(
    Object.entries(samples).map(([key, values]) => [key, median(values)]),
  );
  return { figures, samples };
}

function produceInto(
  ours: LoadCluster,
  {
    partitions,
    flush,
    bytes,
  }: { readonly partitions: number; readonly flush: 'os' | 'ack'; readonly bytes: number },
): Promise<RoundResult> {
  const count = Math.floor(bytes / valueBytes);
  return ours.withTopic({ partitions, flush, valueBytes }, async (topic) => {
    await ours.warm(bytes + warmUpBytes);
    return ours.produce(
      {
        ...topic,
        kind: 'produce',
        form: 'batch',
        count,
        inFlight: inFlightBytes,
        acks: 'all',
        isKeyed: true,
      },
      Math.floor(warmUpBytes / valueBytes),
    );
  });
}

const parity: BenchOutcome['parity'] = {
  processes: 'a producer, three nodes; 10,000 idle partitions in a cluster of their own',
  client: 'the built package at its public surface, defaults but for the memory bound',
  replicas: 3,
  acks: 'all',
  in_flight: '64 MiB',
  records: 'random bytes, 1,024 B; keys spread evenly over the partitions',
  page_cache: memoryIsWarm,
  topics: 'a fresh one for each round, deleted after its check',
  warm_up: '64 MB into each topic before the clock runs: saturated, not first touched',
  checked: 'every record of every replica read again, counted, its checksum summed',
};
