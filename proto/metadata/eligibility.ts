/** Who may do what in a partition, as the image says: read alike by controllers and brokers. */
import type { PartitionState } from '../generated/highwater/metadata/v1/records.ts';
import type { NodeId } from '../model/ids.ts';
import type { MetadataImage } from './image.ts';

/** True if the broker is registered and neither fenced nor on its way down. */
export function isServing(image: Pick<MetadataImage, 'brokers'>, node: NodeId): boolean {
  return image.brokers.get(node)?.state === 'active';
}

/**
 * True if the replica may be added to the in-sync set (rule B3.3). A reassignment that has caught up
 * lets those that it removes no longer in.
 */
export function mayJoinIsr(
  image: Pick<MetadataImage, 'brokers'>,
  state: PartitionState,
  node: NodeId,
): boolean {
  return isServing(image, node) && !isLeaving(state, node);
}

/** True if a running reassignment has nothing more to add and drops this replica. */
export function isLeaving(state: PartitionState, node: NodeId): boolean {
  return state.adding.length === 0 && state.removing.includes(node);
}

/** True if the broker is a good choice as a leader: it serves, and is to go on serving. */
export function mayBePlannedLeader(
  image: Pick<MetadataImage, 'brokers'>,
  state: PartitionState,
  node: NodeId,
): boolean {
  const isWanted = image.brokers.get(node)?.intent === 'serve';
  return isWanted && isServing(image, node) && !state.removing.includes(node);
}
