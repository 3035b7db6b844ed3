/** Latency at fixed rates, from the time at which each record was to be sent. */

import type { Acks } from '../../client/index.ts';
import type { Bench, BenchContext, BenchOutcome } from '../harness/bench.ts';
import { median } from '../harness/statistics.ts';
import { memoryIsWarm } from '../harness/warm-memory.ts';
import { LoadCluster } from '../load/load-cluster.ts';
import { type LatencyFound, LatencyRuns } from './latency-runs.ts';

type Load = 'low' | 'mid' | 'high';
type Flush = 'os' | 'ack';

interface Case {
  readonly acks: Acks;
  readonly flush: Flush;
  readonly load: Load;
}

const levels: readonly Acks[] = ['leader', 'semi-sync', 'all'];
const flushes: readonly Flush[] = ['os', 'ack'];
const loads: readonly Load[] = ['low', 'mid', 'high'];
const goals = [
  { key: 'all_ack_low_p99_ms', atMost: 10, meaning: 'flushed by all, 20,000 records/s or 10 %' },
  { key: 'all_os_mid_p99_ms', atMost: 20, meaning: 'page cache of all, 70,000 records/s or 50 %' },
  { key: 'leader_os_mid_p99_ms', atMost: 10, meaning: 'page cache of the leader, the same rate' },
  {
    key: 'end_to_end_os_mid_p99_ms',
    atMost: 25,
    meaning: 'from the intended send to the consumer’s loop, at all, the same rate',
  },
] as const;

export const latencyBench: Bench = {
  name: 'latency',
  purpose: 'Open loop at 10, 50 and 75 % of the own maximum, from the intended send time.',
  goals: goals.map(({ key, atMost, meaning }) => ({ key, goal: { atMost }, meaning })),
  async run(context) {
    const ours = await LoadCluster.start(await context.freshDirectory('cluster'), context.invalid);
    try {
      return await measure(context, ours);
    } finally {
      await ours.close();
    }
  },
};

async function measure(context: BenchContext, ours: LoadCluster): Promise<BenchOutcome> {
  const runs = new LatencyRuns(context, ours);
  const found = new Map<string, LatencyFound[]>();
  const note = (name: string, one: LatencyFound): void => {
    found.set(name, [...(found.get(name) ?? []), one]);
    const { latency, senderLateP99Ms, nodeLoopP99Ms } = one;
    context.progress(
      `${name}: p50 ${latency.p50.toFixed(1)} p99 ${latency.p99.toFixed(1)} ms; the sender late ${senderLateP99Ms.toFixed(1)}, a node's loop ${nodeLoopP99Ms.toFixed(1)}`,
    );
  };
  const maxima = { os: await runs.maximum('os'), ack: await runs.maximum('ack') };
  const rateOf = ({ flush, load }: Pick<Case, 'flush' | 'load'>): number =>
    rateFor(load, flush, maxima[flush]);
  const rounds = context.isQuick ? 4 : 5;
  for (let round = 0; round < rounds; round++) {
    for (const one of cases()) {
      const name = `${one.acks.replace('-', '_')}_${one.flush}_${one.load}`;
      const isGoal = goals.some(({ key }) => key === `${name}_p99_ms`);
      if (!isGoal && (round > 0 || context.isQuick)) continue;
      note(name, await runs.acknowledged(one, rateOf(one)));
    }
    note('end_to_end_os_mid', await runs.endToEnd('os', rateOf({ flush: 'os', load: 'mid' })));
  }
  const samples: Record<string, readonly number[]> = {};
  for (const [name, list] of found) {
    samples[`${name}_p50_ms`] = list.map(({ latency }) => latency.p50);
    samples[`${name}_p99_ms`] = list.map(({ latency }) => latency.p99);
    samples[`${name}_p999_ms`] = list.map(({ latency }) => latency.p999);
    samples[`${name}_max_ms`] = list.map(({ latency }) => latency.max);
    samples[`${name}_sender_late_p99_ms`] = list.map(({ senderLateP99Ms }) => senderLateP99Ms);
    samples[`${name}_node_loop_p99_ms`] = list.map(({ nodeLoopP99Ms }) => nodeLoopP99Ms);
  }
  const figures = Object.fromEntries(
    Object.entries(samples).map(([key, values]) => [key, median(values)]),
  );
  for (const flush of flushes) {
    figures[`send_max_${flush}_records_per_s`] = maxima[flush];
    for (const load of loads)
      figures[`rate_${flush}_${load}_records_per_s`] = rateOf({ flush, load });
  }
  return { figures, samples, parity: parityOf(runs) };
}

function* cases(): Generator<Case> {
  for (const flush of flushes)
    for (const acks of levels) for (const load of loads) yield { acks, flush, load };
}

/** A share of the own maximum, and no less than what the goals name. */
function rateFor(load: Load, flush: Flush, maximum: number): number {
  switch (load) {
    case 'low':
      return Math.max(20_000, 0.1 * maximum);
    case 'mid':
      return Math.max(flush === 'os' ? 70_000 : 0, 0.5 * maximum);
    case 'high':
      return 0.75 * maximum;
  }
}

function parityOf(runs: LatencyRuns): BenchOutcome['parity'] {
  return {
    page_cache: memoryIsWarm,
    processes: 'a producer, a consumer where one is measured, three nodes',
    client: 'the built package at its public surface, defaults; one promise for each record',
    replicas: 3,
    partitions: runs.partitions,
    records: 'random bytes, 1,024 B, no key',
    open_loop:
      'a timer of 1 ms sends what is due; latency counts from the time at which it was due',
    maximum:
      '10,000 records in flight, acks=all, of each flush mode on its own, once nobody gets faster',
    cases: 'every level, flush mode and rate; with --quick those with a goal',
    histogram: 'HdrHistogram of three figures, warm-up left out; the median of the rounds',
    tails:
      'sender_late: pauses of the producer’s process; node_loop: of the slowest node, looked at every 20 ms',
    checked: 'every record of every replica read again, counted, its checksum summed',
  };
}
