/** What the public client's producer reaches, against the bare pipeline of the same hops. */
import type { Bench, BenchContext, BenchOutcome } from '../harness/bench.ts';
import { interleave, isSettled, ratios, settle } from '../harness/rounds.ts';
import { median } from '../harness/statistics.ts';
import { memoryIsWarm } from '../harness/warm-memory.ts';
import { LoadCluster, type RoundResult } from '../load/load-cluster.ts';
import { BarePipeline } from '../pipeline/bare-pipeline.ts';

const batchBytes = 512 * 1024;
const inFlightBytes = 16 * 1024 * 1024;
const forms = [
  { name: 'batch_1KB', form: 'batch', valueBytes: 1024, share: 1 },
  { name: 'batch_100B', form: 'batch', valueBytes: 100, share: 0.4 },
  { name: 'send_1KB', form: 'send', valueBytes: 1024, share: 0.6 },
  { name: 'send_100B', form: 'send', valueBytes: 100, share: 0.1 },
] as const;
type FormName = (typeof forms)[number]['name'];

export const produceBench: Bench = {
  name: 'produce',
  purpose:
    'The public producer at acks=all, three nodes, against a bare pipeline of the same hops.',
  goals: [
    {
      key: 'batch_1KB_vs_bare',
      goal: { atLeast: 0.8 },
      meaning: 'sendBatch, 1 KB records, page cache, ÷ the bare pipeline at 512 KiB',
    },
    { key: 'batch_100B_vs_bare', goal: { atLeast: 0.5 }, meaning: 'the same with 100 B records' },
    {
      key: 'send_1KB_vs_batch',
      goal: { atLeast: 0.5 },
      meaning: 'one promise for each record, 10,000 in flight, ÷ sendBatch',
    },
    {
      key: 'cpu_s_per_GB_client',
      goal: { atMost: 1.5 },
      meaning: 'CPU of the producer, 1 KB batches',
    },
  ],
  async run(context) {
    const bare = await BarePipeline.start(await context.freshDirectory('bare'));
    const ours = await LoadCluster.start(await context.freshDirectory('cluster'), context.invalid);
    try {
      return await measure(context, { bare, ours });
    } finally {
      await Promise.all([bare.close(), ours.close()]);
    }
  },
};

interface Sides {
  readonly bare: BarePipeline;
  readonly ours: LoadCluster;
}

async function measure(context: BenchContext, { bare, ours }: Sides): Promise<BenchOutcome> {
  const bytes = context.isQuick ? 300e6 : 1e9;
  const results = new Map<FormName, RoundResult[]>(forms.map(({ name }) => [name, []]));
  const bareCpu: number[] = [];
  const contenders = [
    {
      name: 'bare' as const,
      measure: async (): Promise<number> => {
        const count = Math.floor(bytes / batchBytes);
        const result = await bare.run({ flush: 'os', batchBytes, count });
        for (const fault of result.faults) context.invalid(fault);
        bareCpu.push(result.producerCpuPerGB);
        context.progress(`bare: ${result.megabytesPerSecond.toFixed(0)} MB/s`);
        return result.megabytesPerSecond;
      },
    },
    ...forms.map(({ name, form, valueBytes, share }) => ({
      name,
      measure: async (): Promise<number> => {
        const count = Math.floor((bytes * share) / valueBytes);
        const shape = { partitions: 1, flush: 'os', valueBytes } as const;
        const result = await ours.withTopic(shape, async (topic) => {
          await ours.warm(count * valueBytes);
          return ours.produce({
            ...topic,
            kind: 'produce',
            form,
            count,
            inFlight: form === 'batch' ? inFlightBytes : 10_000,
            acks: 'all',
            isKeyed: false,
          });
        });
        results.get(name)?.push(result);
        context.progress(`${name}: ${result.megabytesPerSecond.toFixed(0)} MB/s`);
        return result.megabytesPerSecond;
      },
    })),
  ];
  await settle(context.isQuick ? 7 : 4, contenders);
  for (const list of [...results.values(), bareCpu]) list.length = 0;
  const rounds = await interleave(context.isQuick ? 3 : 7, contenders);
  const samples: Record<string, readonly number[]> = {
    batch_1KB_vs_bare: ratios(rounds.batch_1KB, rounds.bare),
    batch_100B_vs_bare: ratios(rounds.batch_100B, rounds.bare),
    send_1KB_vs_batch: ratios(rounds.send_1KB, rounds.batch_1KB),
    cpu_s_per_GB_client: (results.get('batch_1KB') ?? []).map((round) => round.clientCpuPerGB),
    bare_MB_per_s: rounds.bare,
    bare_cpu_s_per_GB_client: bareCpu,
  };
  for (const [name, list] of results) {
    samples[`${name}_MB_per_s`] = list.map((round) => round.megabytesPerSecond);
    samples[`${name}_records_per_s`] = list.map((round) => round.recordsPerSecond);
    samples[`${name}_cpu_s_per_GB_client`] = list.map((round) => round.clientCpuPerGB);
    samples[`${name}_cpu_s_per_GB_nodes`] = list.map((round) => round.nodesCpuPerGB);
  }
  const figures = Object.fromEntries(
    Object.entries(samples).map(([key, values]) => [key, median(values)]),
  );
  return { figures, samples, parity };
}

const parity: BenchOutcome['parity'] = {
  page_cache: memoryIsWarm,
  warm_up: isSettled,
  processes: 'producer, and three nodes each, on both sides',
  client: 'the built package at its public surface, defaults but for the memory bound',
  replicas: 3,
  acks: 'all: in the page cache of the leader and both followers',
  flush: 'os',
  partitions: 1,
  in_flight: 'sendBatch: 16 MiB; send: 10,000 records; bare: 64 MiB',
  records: 'random bytes, 1,024 or 100 B, no key; calls of sendBatch are of 1 MiB',
  bare: 'grpc-js 1.14.7 in (1 MiB windows), framed sockets out, writev, CRC-32C at each hop, 512 KiB batches',
  checked: 'every record of every replica read again, counted, its checksum summed',
  cpu: 'user and system of all threads, from first send to last acknowledgement',
};
