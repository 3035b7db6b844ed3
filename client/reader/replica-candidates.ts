/** The replicas of a partition as the metadata shows them to one reader. */
import type { NodeId } from '../../proto/model/ids.ts';
import { addressOf } from '../metadata/broker-rotation.ts';
import type { ClusterView } from '../metadata/cluster-view.ts';
import type { ReplicaCandidate } from './core/replica-choice.ts';
import type { PartitionCursor } from './partition-cursor.ts';

export type AddressedReplica = ReplicaCandidate & { readonly address: string };

/** Those whose brokers are known, with what this cursor has met of them. */
export function candidatesFor(
  cursor: PartitionCursor,
  view: ClusterView,
  nowMs: number,
): AddressedReplica[] {
  const found = view.topicsById.get(cursor.topic.topicId)?.partitions[cursor.partition];
  return (found?.replicas ?? []).flatMap((nodeId) => {
    const broker = view.brokers.get(nodeId);
    if (broker === undefined) return [];
    return {
      nodeId,
      address: addressOf(broker),
      rack: broker.rack,
      isLeader: found?.leader === nodeId,
      isInSync: found?.isr.includes(nodeId) === true,
      isLive: !broker.fenced,
      isAvoided: (cursor.avoided.get(nodeId) ?? Number.NEGATIVE_INFINITY) > nowMs,
    };
  });
}

/** Any live replica that is in sync is near enough once it is being read from. */
export function mayStay(cursor: PartitionCursor, view: ClusterView, nodeId: NodeId): boolean {
  const found = view.topicsById.get(cursor.topic.topicId)?.partitions[cursor.partition];
  const isLive = view.brokers.get(nodeId)?.fenced === false;
  return isLive && found?.isr.includes(nodeId) === true;
}
