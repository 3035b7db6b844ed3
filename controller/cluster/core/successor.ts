/** Who takes over from a leader that is to go, while everybody is well. */
import { mayBePlannedLeader } from '../../../proto/metadata/eligibility.ts';
import type { MetadataImage } from '../../../proto/metadata/image.ts';
import type { PartitionState } from '../../../proto/metadata/records.ts';
import type { NodeId } from '../../../proto/model/ids.ts';

/**
 * The preferred leader if it can; else, among the in-sync replicas that can, the one that leads least,
 * so that the partitions of a stopped broker spread over the others. Undefined: nobody can.
 */
export function successorFor(
  image: Pick<MetadataImage, 'brokers' | 'hosting'>,
  state: PartitionState,
  extraLeaders?: ReadonlyMap<NodeId, number>,
): NodeId | undefined {
  let best: NodeId | undefined;
  let least = Infinity;
  for (const [rank, node] of state.replicas.entries()) {
    if (node === state.leader || !state.isr.includes(node)) continue;
    if (!mayBePlannedLeader(image, state, node)) continue;
    if (rank === 0) return node;
    const leaders = (image.hosting.get(node)?.leaders ?? 0) + (extraLeaders?.get(node) ?? 0);
    if (leaders < least) {
      best = node;
      least = leaders;
    }
  }
  return best;
}
