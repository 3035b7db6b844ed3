/** What one consumer of the public client reads, against what one producer writes. */
import type { Bench, BenchContext, BenchOutcome } from '../harness/bench.ts';
import { ratios } from '../harness/rounds.ts';
import { median } from '../harness/statistics.ts';
import { memoryIsWarm } from '../harness/warm-memory.ts';
import { LoadCluster } from '../load/load-cluster.ts';

const valueBytes = 1024;
const inFlightBytes = 16 * 1024 * 1024;
const partitionCounts = [1, 6] as const;

export const consumeBench: Bench = {
  name: 'consume',
  purpose: 'One consumer, record by record, against one producer; three nodes.',
  goals: [
    {
      key: 'consume_1KB_vs_produce',
      goal: { atLeast: 1.5 },
      meaning: 'for await over records ÷ sendBatch, the worse of 1 and 6 partitions',
    },
    {
      key: 'cpu_s_per_GB_client',
      goal: { atMost: 2.2 },
      meaning: 'CPU of the consumer, the worse of 1 and 6 partitions',
    },
  ],
  async run(context) {
    const ours = await LoadCluster.start(await context.freshDirectory('cluster'), context.invalid);
    try {
      return await measure(context, ours);
    } finally {
      await ours.close();
    }
  },
};

interface Round {
  readonly produced: number;
  readonly consumed: number;
  readonly cpuPerGB: number;
}

async function measure(context: BenchContext, ours: LoadCluster): Promise<BenchOutcome> {
  const rounds = new Map<number, Round[]>(partitionCounts.map((count) => [count, []]));
  const roundCount = 1 + (context.isQuick ? 3 : 7);
  for (let round = 0; round < roundCount; round++) {
    for (const partitions of partitionCounts) {
      const result = await measureRound(context, ours, { partitions, round });
      if (round > 0) rounds.get(partitions)?.push(result); // The compiler settles first.
    }
  }
  const samples: Record<string, readonly number[]> = {};
  for (const [partitions, list] of rounds) {
    const produced = list.map((round) => round.produced);
    const consumed = list.map((round) => round.consumed);
    samples[`consume_1KB_vs_produce_${partitions}`] = ratios(consumed, produced);
    samples[`consume_1KB_${partitions}_MB_per_s`] = consumed;
    samples[`consume_1KB_${partitions}_records_per_s`] = consumed.map(
      (megabytes) => (megabytes * 1e6) / valueBytes,
    );
    samples[`produce_1KB_${partitions}_MB_per_s`] = produced;
    samples[`cpu_s_per_GB_client_${partitions}`] = list.map((round) => round.cpuPerGB);
  }
  const figures = Object.fromEntries(
    Object.entries(samples).map(([key, values]) => [key, median(values)]),
  );
  const over = (key: string): number[] =>
    partitionCounts.map((partitions) => figures[`${key}_${partitions}`] ?? Number.NaN);
  figures['consume_1KB_vs_produce'] = Math.min(...over('consume_1KB_vs_produce'));
  figures['cpu_s_per_GB_client'] = Math.max(...over('cpu_s_per_GB_client'));
  return { figures, samples, parity };
}

async function measureRound(
  context: BenchContext,
  ours: LoadCluster,
  { partitions, round }: { readonly partitions: number; readonly round: number },
): Promise<Round> {
  const bytes = context.isQuick ? 400e6 : 1.5e9;
  const count = Math.floor(bytes / valueBytes);
  return ours.withTopic({ partitions, flush: 'os', valueBytes }, async (topic) => {
    await ours.warm(bytes);
    const produced = await ours.produce({
      ...topic,
      kind: 'produce',
      form: 'batch',
      count,
      inFlight: inFlightBytes,
      acks: 'all',
      isKeyed: false,
    });
    const answer = await ours.consumer.ask({
      ...topic,
      kind: 'consume',
      group: `bench-${partitions}-${round}`,
      count,
      isTimed: false,
      warmUp: 0,
    });
    if (answer.tally.records !== count)
      context.invalid(`${topic.topic}: ${answer.tally.records} of ${count} records consumed`);
    const gigabytes = (count * valueBytes) / 1e9;
    const consumed = (gigabytes * 1000) / answer.seconds;
    context.progress(
      `${partitions} partitions: produced ${produced.megabytesPerSecond.toFixed(0)}, consumed ${consumed.toFixed(0)} MB/s`,
    );
    return {
      produced: produced.megabytesPerSecond,
      consumed,
      cpuPerGB: answer.cpuSeconds / gigabytes,
    };
  });
}

const parity: BenchOutcome['parity'] = {
  page_cache: memoryIsWarm,
  processes: 'a producer, a consumer, three nodes',
  client:
    'the built package at its public surface, defaults but for the memory bound of the producer',
  replicas: 3,
  flush: 'os',
  partitions: '1 and 6, over all three leaders',
  records: 'random bytes, 1,024 B, no key',
  produce: 'sendBatch, acks=all, 16 MiB in flight, in turn with the consumer, same records',
  consume:
    'a group of one from the earliest offset, no commits; first and last byte of each value read',
  time: 'from the first record in the loop to the last',
  cache: 'the records are in the page cache',
  checked: 'every record of every replica read again, counted, its checksum summed',
};
