/** What a replica knows of itself and, as a leader, of its followers. */
import type { ReplicaProgress } from '../../proto/generated/highwater/v1/admin.ts';
import { lagMs } from '../replication/core/lag.ts';
import type { PartitionDriver } from '../replication/partition-driver.ts';

/** The leader's row first, then one for each follower that it hears. */
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
