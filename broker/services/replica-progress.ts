/** What a replica knows of itself and, as a leader, of its followers. */
import type { ReplicaProgress } from '../../proto/generated/highwater/v1/admin.ts';
import { lagMs } from '../replication/core/lag.ts';
import type { PartitionDriver } from '../replication/partition-driver.ts';

/** The same with the bytes that each follower has not stored yet. */
export function measuredProgressOf(replica: PartitionDriver): Promise<ReplicaProgress[]> {
  const { end } = replica.state.log;
  return Promise.all(
    progressOf(replica).map(async (row) => {
      if (row.nodeId === replica.state.self || row.storedEnd >= end) return row;
      // A place that was just removed or is damaged has no size.
      const lagBytes = await replica.log.bytesBetween(row.storedEnd, end).catch(() => 0);
      return { ...row, lagBytes };
    }),
  );
}

/** The leader's row first, then one for each follower that it hears; bytes are not measured. */
export function progressOf(replica: PartitionDriver): ReplicaProgress[] {
  const { state, watermark } = replica;
  const { role, log } = state;
  const own = {
    nodeId: state.self,
    logEnd: log.end,
    storedEnd: log.stored,
    highWatermark: watermark,
    lagBytes: 0,
    lagMs: 0,
  };
  if (role.kind !== 'leader') return [own];
  const followers = Array.from(role.followers, ([nodeId, progress]) => ({
    nodeId,
    logEnd: progress.logEnd,
    storedEnd: progress.storedEnd ?? log.start,
    highWatermark: watermark,
    lagBytes: 0,
    lagMs: Math.max(0, Math.round(lagMs(state, role, nodeId))),
  }));
  return [own, ...followers];
}
