/** What replication costs: three nodes and acks=all against the same hops without a broker. */
import type { Bench, BenchContext, BenchOutcome } from '../harness/bench.ts';
import { interleave, isSettled, ratios, settle } from '../harness/rounds.ts';
import { median } from '../harness/statistics.ts';
import { memoryIsWarm } from '../harness/warm-memory.ts';
import { BarePipeline, type PipelineResult } from '../pipeline/bare-pipeline.ts';
import { ClusterRounds } from './cluster-rounds.ts';
import { measureStalled } from './stalled.ts';

const sizes = [
  { name: '128K', batchBytes: 128 * 1024 },
  { name: '512K', batchBytes: 512 * 1024 },
] as const;
const flushes = ['os', 'ack'] as const;

export const replicateBench: Bench = {
  name: 'replicate',
  purpose: 'Three nodes at acks=all against a bare pipeline of the same hops.',
  goals: [
    ...flushes.flatMap((flush) =>
      sizes.map(({ name }) => ({
        key: `all_${flush}_${name}_vs_bare`,
        goal: { atLeast: 0.8 },
        meaning: `acknowledged by all three, flush=${flush}, batches of ${name}, ÷ the bare pipeline`,
      })),
    ),
    {
      key: 'cpu_s_per_GB_nodes',
      goal: { atMost: 4.6 },
      meaning: 'CPU of the three nodes together, 512K, page cache',
    },
    {
      key: 'rss_MB_stalled',
      goal: { atMost: 256 },
      meaning: 'largest node with stalled consumers and a stopped follower',
    },
  ],
  async run(context) {
    const bare = await BarePipeline.start(await context.freshDirectory('bare'));
    const ours = await ClusterRounds.start(await context.freshDirectory('cluster'));
    let outcome: BenchOutcome;
    try {
      outcome = await measureRounds(context, { bare, ours });
    } finally {
      await Promise.all([bare.close(), ours.close()]);
    }
    context.progress('stalled consumers and follower');
    const stalled = await measureStalled(await context.freshDirectory('stalled'), {
      batchBytes: 128 * 1024,
      count: Math.floor((context.isQuick ? 400e6 : 1e9) / (128 * 1024)),
    });
    for (const fault of stalled.faults) context.invalid(`stalled: ${fault}`);
    return { ...outcome, figures: { ...outcome.figures, rss_MB_stalled: stalled.megabytes } };
  },
};

type Side = { run(round: Parameters<BarePipeline['run']>[0]): Promise<PipelineResult> };

async function measureRounds(
  context: BenchContext,
  sides: { readonly bare: Side; readonly ours: Side },
): Promise<BenchOutcome> {
  const figures: Record<string, number> = {};
  const samples: Record<string, readonly number[]> = {};
  const bytes = context.isQuick ? 250e6 : 1e9;
  for (const { name, batchBytes } of sizes) {
    for (const flush of flushes) {
      const key = `all_${flush}_${name}`;
      context.progress(key);
      const count = Math.floor(bytes / batchBytes);
      const cpu: Record<'ours' | 'bare', number[]> = { ours: [], bare: [] };
      const measured = (['ours', 'bare'] as const).map((side) => ({
        name: side,
        measure: async (): Promise<number> => {
          const result = await sides[side].run({ flush, batchBytes, count });
          for (const fault of result.faults) context.invalid(`${key}: ${fault}`);
          cpu[side].push(result.nodesCpuPerGB);
          return result.megabytesPerSecond;
        },
      }));
      if (Object.keys(figures).length === 0) {
        await settle(context.isQuick ? 10 : 5, measured);
        cpu.ours = [];
        cpu.bare = [];
      }
      const rounds = await interleave(context.isQuick ? 3 : 7, measured);
      samples[`${key}_vs_bare`] = ratios(rounds.ours, rounds.bare);
      figures[`${key}_vs_bare`] = median(samples[`${key}_vs_bare`] ?? []);
      for (const side of ['ours', 'bare'] as const) {
        samples[`${key}_${side}_MB_per_s`] = rounds[side];
        figures[`${key}_${side}_MB_per_s`] = median(rounds[side]);
        samples[`${key}_${side}_cpu_s_per_GB`] = cpu[side];
        figures[`${key}_${side}_cpu_s_per_GB`] = median(cpu[side]);
      }
    }
  }
  figures['cpu_s_per_GB_nodes'] = figures['all_os_512K_ours_cpu_s_per_GB'] ?? Number.NaN;
  figures['cpu_s_per_GB_nodes_bare'] = figures['all_os_512K_bare_cpu_s_per_GB'] ?? Number.NaN;
  return { figures, samples, parity };
}

const parity: BenchOutcome['parity'] = {
  page_cache: memoryIsWarm,
  warm_up: isSettled,
  processes: 'producer, and three nodes each, on both sides',
  replicas: 3,
  acks: 'all: stored by the leader and both followers',
  partitions: 1,
  in_flight: '64 MiB, one batch a message',
  batches: 'ready-made, one opaque record of random bytes each',
  bare: 'grpc-js 1.14.7 in (1 MiB windows), framed sockets out, writev, CRC-32C at each hop',
  bare_flush_ack: 'one fdatasync at a time serves all that waited, on each of the three',
  checked: 'every batch of every replica read again, its CRC-32C compared with the sent one',
  cpu: 'user and system of all threads, from first send to last acknowledgement',
  memory: 'greatest RssAnon, sampled every 50 ms; four paused consumers, one follower stopped',
};
