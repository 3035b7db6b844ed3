/** How a partition is, in the order in which somebody should look at it. */
import type { ClusterState, PartitionView, ReplicaProgress } from './cluster-state.ts';

export type Health = 'leaderless' | 'below-minimum' | 'under-replicated' | 'in-sync';

/** Worst first. */
export const healths: readonly Health[] = [
  'leaderless',
  'below-minimum',
  'under-replicated',
  'in-sync',
];

export const healthWords: Readonly<Record<Health, string>> = {
  leaderless: 'no leader',
  'below-minimum': 'below minimum',
  'under-replicated': 'under-replicated',
  'in-sync': 'in sync',
};

export function healthOf({ row, topic }: PartitionView): Health {
  if (row.leader === null) return 'leaderless';
  if (row.isr.length < topic.minInsyncReplicas) return 'below-minimum';
  return row.isr.length < row.replicas.length ? 'under-replicated' : 'in-sync';
}

/** Where the partition stands: by its leader, or by the replica that has most while there is none. */
export function standingOf({ row, replicas }: PartitionView): ReplicaProgress | undefined {
  const leading = row.leader === null ? undefined : replicas.get(row.leader);
  if (leading !== undefined) return leading;
  let best: ReplicaProgress | undefined;
  for (const replica of replicas.values())
    if (best === undefined || replica.logEnd > best.logEnd) best = replica;
  return best;
}

/** Records above the watermark: appended, and not yet safe everywhere they have to be. */
export function gapOf(view: PartitionView): number {
  const standing = standingOf(view);
  return standing === undefined ? 0 : Math.max(0, standing.logEnd - standing.watermark);
}

export type ReplicaStanding = 'leader' | 'in-sync' | 'eligible' | 'out';

export function replicaStanding({ row }: PartitionView, node: number): ReplicaStanding {
  if (row.leader === node) return 'leader';
  if (row.isr.includes(node)) return 'in-sync';
  return row.elr.includes(node) ? 'eligible' : 'out';
}

export const replicaWords: Readonly<Record<ReplicaStanding, string>> = {
  leader: 'leads',
  'in-sync': 'in sync',
  eligible: 'eligible, out of sync',
  out: 'out of sync',
};

/** How many partitions are in each state. */
export function countHealth(state: ClusterState): Record<Health, number> {
  const counts = { leaderless: 0, 'below-minimum': 0, 'under-replicated': 0, 'in-sync': 0 };
  for (const view of state.ordered) counts[healthOf(view)]++;
  return counts;
}
