/**
 * How long acknowledged metadata changes pause when the active controller is killed or hands over, and
 * whether each of them is in the controllers' logs exactly once.
 */
import { connect } from '../../client/index.ts';
import {
  type ControllerScene,
  killTrial,
  transferTrial,
} from '../../test/support/controller-trials.ts';
import { MetadataWriter } from '../../test/support/metadata-writer.ts';
import { ProcessCluster } from '../../test/support/process-cluster.ts';
import { auditMetadata, readQuorumLog } from '../../test/support/quorum-audit.ts';
import type { Bench, BenchContext, BenchOutcome } from '../harness/bench.ts';
import { percentile } from '../harness/statistics.ts';

export const controllerFailoverBench: Bench = {
  name: 'controller-failover',
  purpose: 'Longest gap between acknowledged metadata changes when the active controller goes.',
  goals: [
    {
      key: 'kill_p99_ms',
      goal: { atMost: 1000 },
      meaning: 'SIGKILL of the active controller, longest gap of any writer',
    },
    { key: 'transfer_p99_ms', goal: { atMost: 100 }, meaning: 'planned transfer' },
    { key: 'lost', goal: { atMost: 0 }, meaning: 'acknowledged and not in the logs of a majority' },
    { key: 'doubled', goal: { atMost: 0 }, meaning: 'applied more than once' },
  ],
  async run(context) {
    const directory = await context.freshDirectory('cluster');
    const cluster = await ProcessCluster.start({ nodes: 2, controllers: 3, directory });
    try {
      return await measure(context, cluster);
    } finally {
      await cluster.stop();
    }
  },
};

const writersCount = 4;

async function measure(context: BenchContext, cluster: ProcessCluster): Promise<BenchOutcome> {
  const client = await connect({ brokers: cluster.brokers });
  const writers = Array.from(
    { length: writersCount },
    (_, index) => new MetadataWriter(client, `writer-${index}`),
  );
  const scene: ControllerScene = { cluster, client, writers, progress: context.progress };
  const { isQuick } = context;
  const kills = await repeat(isQuick ? 15 : 50, () => killTrial(scene));
  const transfers = await repeat(isQuick ? 20 : 50, () => transferTrial(scene));
  await Promise.all(writers.map((writer) => writer.stop()));
  await client.close();
  const checked = await audit(context, { cluster, writers });
  return {
    figures: { ...percentiles('kill', kills), ...percentiles('transfer', transfers), ...checked },
    samples: { kill_ms: kills, transfer_ms: transfers },
    parity: {
      nodes: '3 controller and 2 broker processes, settings at their defaults',
      writers: `${writersCount} in the process of the bench, each one change after the other`,
      changes:
        'a setting of a topic, each 25th the creation of a topic; acknowledged when committed',
      failures: failuresOf(writers),
    },
  };
}

async function repeat(times: number, trial: () => Promise<number>): Promise<number[]> {
  const gaps: number[] = [];
  for (let round = 0; round < times; round++) gaps.push(await trial());
  return gaps;
}

/** The disks are read once nobody writes to them any more. */
async function audit(
  context: BenchContext,
  { cluster, writers }: Pick<ControllerScene, 'cluster' | 'writers'>,
): Promise<{ changes: number; lost: number; doubled: number }> {
  await Promise.all(cluster.nodes.map((node) => node.kill('SIGKILL')));
  const controllers = cluster.nodes.slice(2);
  const logs = await Promise.all(controllers.map(({ data }) => readQuorumLog(data)));
  const verdict = auditMetadata(
    writers.map(({ history }) => history),
    logs,
  );
  const { acknowledged, lost, doubled, disordered, forked } = verdict;
  if (acknowledged === 0) context.invalid('nothing was acknowledged');
  if (disordered > 0) context.invalid(`${disordered} changes are out of order`);
  if (forked > 0) context.invalid(`the logs of the controllers differ at ${forked} indexes`);
  return { changes: acknowledged, lost, doubled };
}

function failuresOf(writers: readonly MetadataWriter[]): string {
  const failures = writers.flatMap(({ history }) => [...history.failures]);
  return failures.length === 0
    ? 'none'
    : failures.map(([code, times]) => `${code}: ${times}`).join(', ');
}

function percentiles(name: string, gaps: readonly number[]): Record<string, number> {
  return {
    [`${name}_p50_ms`]: percentile(gaps, 50),
    [`${name}_p99_ms`]: percentile(gaps, 99),
    [`${name}_max_ms`]: Math.max(...gaps),
  };
}
