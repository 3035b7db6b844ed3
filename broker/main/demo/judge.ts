/** What every replica has, read back, against what the writers were told. */
import { type PartitionPlace, readReplica, until } from '../fleet/cluster-view.ts';
import { type FoundRecord, History, type Verdict } from '../fleet/history.ts';
import type { Claims } from './claims.ts';
import type { LessonCluster } from './lesson-cluster.ts';
import { Probes } from './probes.ts';

const catchUpMs = 5_000;

/** What was told: by the load, and by the probes. */
export interface Told {
  readonly load?: History;
  readonly probes?: Probes;
}

/** Reads every replica to its end and claims that nothing is lost, doubled, changed or out of order. */
export async function judgeReplicas(
  claims: Claims,
  cluster: LessonCluster,
  told: Told,
): Promise<{ readonly acknowledged: number }> {
  const total = { acknowledged: 0, lost: 0, duplicated: 0, unexpected: 0, wrong: 0 };
  for (const { id } of cluster.brokers) {
    const [load, probes] = await judgeReplica(cluster, id, told);
    total.acknowledged = load.acknowledged + probes.acknowledged;
    total.lost = Math.max(total.lost, load.lost + probes.lost);
    total.duplicated = Math.max(total.duplicated, load.duplicated + probes.duplicated);
    total.unexpected = Math.max(total.unexpected, load.unexpected + probes.unexpected);
    for (const { damaged, misplaced } of [load, probes])
      total.wrong = Math.max(total.wrong, damaged + misplaced);
  }
  claims.atLeast('Records acknowledged', total.acknowledged, 1);
  claims.equals('Acknowledged and missing on any replica', total.lost, 0);
  claims.equals('Found twice on any replica', total.duplicated, 0);
  claims.equals('Refused as not written, and found', total.unexpected, 0);
  claims.equals('Changed or out of order', total.wrong, 0);
  return total;
}

async function judgeReplica(
  { client, place }: LessonCluster,
  node: number,
  { load = new History(), probes = new Probes() }: Told,
): Promise<[Verdict, Verdict]> {
  const read = (): Promise<FoundRecord[]> =>
    readReplica(client, place satisfies PartitionPlace, node);
  const isWhole = (found: readonly FoundRecord[]): boolean => {
    const parts = Probes.split(found);
    const missing = load.missing(parts.load).length + probes.history.missing(parts.probes).length;
    return missing === 0;
  };
  // What was acknowledged below `all` is readable once the others have it too.
  const found = await until(read, isWhole, `node ${node} has everything`, catchUpMs).catch(read);
  const parts = Probes.split(found);
  return [load.check(parts.load), probes.history.check(parts.probes)];
}
