/** Which replica a reader asks. */
import type { NodeId } from '../../../proto/model/ids.ts';

/** `nearest`: one in the reader's rack that is in sync, else any that is in sync. */
export type ReadFrom = 'leader' | 'nearest' | NodeId;

/** A replica as the metadata shows it. */
export interface ReplicaCandidate {
  readonly nodeId: NodeId;
  readonly rack: string;
  readonly isLeader: boolean;
  readonly isInSync: boolean;
  /** Known to be alive. */
  readonly isLive: boolean;
  /** It failed this reader a moment ago. */
  readonly isAvoided: boolean;
}

/** How to choose. `drawn` spreads readers without a rack; it stays the same for one partition. */
export interface ReplicaWish {
  readonly readFrom: ReadFrom;
  readonly rack: string | undefined;
  readonly drawn: number;
}

/** The replica to ask, or undefined while none can be asked. */
export function chooseReplica(
  candidates: readonly ReplicaCandidate[],
  wish: ReplicaWish,
): ReplicaCandidate | undefined {
  const leader = candidates.find((one) => one.isLeader);
  if (wish.readFrom === 'leader') return leader;
  if (wish.readFrom !== 'nearest') return candidates.find((one) => one.nodeId === wish.readFrom);
  const good = candidates.filter((one) => one.isLive && one.isInSync && !one.isAvoided);
  const sameRack = good.filter((one) => wish.rack !== undefined && one.rack === wish.rack);
  const pool = sameRack.length > 0 ? sameRack : good;
  // Where all were tried in vain the leader knows best.
  return pool[wish.drawn % Math.max(1, pool.length)] ?? leader ?? candidates[0];
}
