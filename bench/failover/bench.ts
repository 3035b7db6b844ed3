/**
 * How long a producer goes without an acknowledgement when the leader is killed, hangs or hands over,
 * and what becomes of its records.
 */
import { type Client, connect } from '../../client/index.ts';
import { readReplica } from '../../test/support/cluster-view.ts';
import { ProcessCluster } from '../../test/support/process-cluster.ts';
import { SteadyWriter } from '../../test/support/steady-writer.ts';
import type { Bench, BenchContext, BenchOutcome } from '../harness/bench.ts';
import { percentile } from '../harness/statistics.ts';
import { handOverTrial, killTrial, pauseTrial, place, restartAll, type Scene } from './trials.ts';

export const failoverBench: Bench = {
  name: 'failover',
  purpose: 'Longest gap between acknowledgements when leaders die, hang, move and restart.',
  goals: [
    {
      key: 'kill_gap_p99_ms',
      goal: { atMost: 500 },
      meaning: 'SIGKILL of the leader, each third time on the active controller’s node',
    },
    { key: 'pause_gap_p99_ms', goal: { atMost: 2500 }, meaning: 'SIGSTOP, session 2 s' },
    { key: 'handover_gap_p99_ms', goal: { atMost: 100 }, meaning: 'planned move of the leader' },
    {
      key: 'rolling_failed_sends',
      goal: { atMost: 0 },
      meaning: 'all nodes restarted one after the other',
    },
    { key: 'lost', goal: { atMost: 0 }, meaning: 'acknowledged and not on every replica' },
    { key: 'duplicated', goal: { atMost: 0 }, meaning: 'found more than once' },
  ],
  async run(context) {
    const directory = await context.freshDirectory('cluster');
    const cluster = await ProcessCluster.start({ nodes: 3, directory });
    try {
      const client = await connect({ brokers: cluster.brokers });
      try {
        return await measure(context, cluster, client);
      } finally {
        await client.close();
      }
    } finally {
      await cluster.stop();
    }
  },
};

const everyMs = 2;

async function measure(
  context: BenchContext,
  cluster: ProcessCluster,
  client: Client,
): Promise<BenchOutcome> {
  const { topic } = place;
  await client.admin.createTopic({ name: topic, partitions: 1, replicationFactor: 3 });
  const writer = new SteadyWriter(client, { topic, everyMs });
  const scene: Scene = { cluster, client, writer, progress: context.progress };
  const { isQuick } = context;
  const kill = await repeat(isQuick ? 6 : 21, (round) => killTrial(scene, round % 3 === 0));
  const pause = await repeat(isQuick ? 6 : 20, () => pauseTrial(scene));
  const handOver = await repeat(isQuick ? 10 : 30, () => handOverTrial(scene));
  const failedBefore = writer.failed;
  const rolling = await repeat(isQuick ? 1 : 3, () => restartAll(scene));
  const rollingFailed = writer.failed - failedBefore;
  await writer.stop();
  const checked = await checkReplicas(context, scene);
  const failures = [...writer.failures].map(([kind, times]) => `${kind}: ${times}`);
  return {
    figures: {
      ...percentiles('kill_gap', kill),
      ...percentiles('pause_gap', pause),
      ...percentiles('handover_gap', handOver),
      ...percentiles('rolling_gap', rolling),
      rolling_failed_sends: rollingFailed,
      failed_sends: writer.failed,
      ...checked,
    },
    samples: {
      kill_gap_ms: kill,
      pause_gap_ms: pause,
      handover_gap_ms: handOver,
      rolling_gap_ms: rolling,
    },
    parity: {
      nodes: '3 processes, each broker and controller, settings at their defaults',
      topic: '1 partition, 3 replicas, flush=ack, min.insync.replicas 2',
      producer: `one, in the process of the bench: 100 B every ${everyMs} ms, acks all, defaults`,
      failures: failures.length === 0 ? 'none' : failures.join(', '),
    },
  };
}

async function repeat(times: number, trial: (round: number) => Promise<number>): Promise<number[]> {
  const gaps: number[] = [];
  for (let round = 0; round < times; round++) gaps.push(await trial(round));
  return gaps;
}

/** Every replica is read to its end and compared with what the producer was told. */
async function checkReplicas(
  context: BenchContext,
  { cluster, client, writer }: Scene,
): Promise<{ records: number; lost: number; duplicated: number }> {
  const totals = { records: 0, lost: 0, duplicated: 0 };
  for (const { id } of cluster.nodes) {
    const verdict = writer.history.check(await readReplica(client, place, id));
    totals.records = verdict.acknowledged;
    totals.lost = Math.max(totals.lost, verdict.lost);
    totals.duplicated = Math.max(totals.duplicated, verdict.duplicated);
    for (const fault of ['unexpected', 'damaged', 'misplaced'] as const)
      if (verdict[fault] > 0) context.invalid(`replica ${id}: ${verdict[fault]} records ${fault}`);
  }
  if (totals.records === 0) context.invalid('nothing was acknowledged');
  return totals;
}

function percentiles(name: string, gaps: readonly number[]): Record<string, number> {
  return {
    [`${name}_p50_ms`]: percentile(gaps, 50),
    [`${name}_p99_ms`]: percentile(gaps, 99),
    [`${name}_max_ms`]: Math.max(...gaps),
  };
}
