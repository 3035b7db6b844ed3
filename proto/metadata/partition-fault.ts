/**
 * What must hold for a partition's committed state (invariant S10) and between two states of it (S9).
 *
 * Controllers decide so that it holds; replay checks it again, because a record may come from a
 * controller with a defect, and a set that is wrong once loses records later.
 */
import type { PartitionState } from '../generated/highwater/metadata/v1/records.ts';
import type { NodeId } from '../model/ids.ts';
import { limits } from '../model/limits.ts';
import { minInsyncReplicasOf, semiSyncReplicasOf } from '../model/topic-settings.ts';
import type { MetadataImage, TopicImage } from './image.ts';

/**
 * The minimum of the in-sync set that the topic asks of this partition. While a reassignment runs it
 * is that of the smaller of the two sets, so that growing from one replica does not stop writes.
 */
export function minimumOf(topic: Pick<TopicImage, 'settings'>, state: PartitionState): number {
  return minInsyncReplicasOf(topic.settings, steadyReplicas(state));
}

/** The k that the topic asks of this partition; 0 refuses semi-sync. */
export function semiSyncWanted(topic: Pick<TopicImage, 'settings'>, state: PartitionState): number {
  return semiSyncReplicasOf(topic.settings, steadyReplicas(state));
}

/** Replicas that are neither on their way in nor on their way out, at least. */
function steadyReplicas({ replicas, adding, removing }: PartitionState): number {
  return replicas.length - Math.max(adding.length, removing.length);
}

/** A sentence about what is wrong with the state by itself; undefined if nothing is. */
export function stateFault(
  image: Pick<MetadataImage, 'brokers'>,
  topic: Pick<TopicImage, 'settings'>,
  state: PartitionState,
): string | undefined {
  return (
    replicaFault(image, state) ??
    inSyncFault(image, topic, state) ??
    leaderFault(state) ??
    semiSyncFault(state)
  );
}

/** A sentence about what is wrong with this step; undefined if nothing is. */
export function stepFault(
  kind: 'partitionChanged' | 'roundOpened' | 'partitionElected',
  before: PartitionState,
  after: PartitionState,
): string | undefined {
  if (after.partitionEpoch !== before.partitionEpoch + 1) {
    return `partition epoch ${after.partitionEpoch} does not follow ${before.partitionEpoch}`;
  }
  if (kind === 'roundOpened') {
    if (after.leaderEpoch !== before.leaderEpoch + 1) {
      return `a round of epoch ${after.leaderEpoch} does not follow epoch ${before.leaderEpoch}`;
    }
    if (after.leader !== undefined) return 'a round begins without a leader';
    return uncleanFault(before, after);
  }
  if (after.leaderEpoch !== before.leaderEpoch) {
    return `only a round raises the leader epoch from ${before.leaderEpoch} to ${after.leaderEpoch}`;
  }
  if (kind === 'partitionChanged') {
    if (after.leader !== before.leader) return 'only a round changes the leader';
    return uncleanFault(before, after);
  }
  if (before.leader !== undefined) return `epoch ${before.leaderEpoch} has a leader already`;
  if (after.leader === undefined) return 'an election names a leader';
  const isUnclean = after.uncleanEpoch === after.leaderEpoch;
  return isUnclean ? undefined : uncleanFault(before, after);
}

function uncleanFault(before: PartitionState, after: PartitionState): string | undefined {
  return after.uncleanEpoch === before.uncleanEpoch
    ? undefined
    : 'only an election may be unclean, and only in its own epoch';
}

function replicaFault(
  image: Pick<MetadataImage, 'brokers'>,
  state: PartitionState,
): string | undefined {
  const { replicas, adding, removing } = state;
  if (replicas.length === 0 || replicas.length > limits.replicationFactorMax) {
    return `${replicas.length} replicas; expected 1 to ${limits.replicationFactorMax}`;
  }
  if (hasDoubles(replicas)) return `replicas ${text(replicas)} name a broker twice`;
  for (const node of replicas) {
    if (!image.brokers.has(node)) return `replica ${node} is not a registered broker`;
  }
  const fault =
    subsetFault('isr', state.isr, replicas) ??
    subsetFault('elr', state.elr, replicas) ??
    subsetFault('last known elr', state.lastKnownElr, replicas) ??
    subsetFault('semi-sync members', state.semiSyncMembers, replicas) ??
    subsetFault('adding', adding, replicas) ??
    subsetFault('removing', removing, replicas) ??
    subsetFault('suspects', state.suspects, replicas);
  if (fault !== undefined) return fault;
  if (shares(adding, removing)) return 'a replica is both added and removed';
  if (removing.length === replicas.length) return 'all replicas are removed';
  return undefined;
}

function inSyncFault(
  image: Pick<MetadataImage, 'brokers'>,
  topic: Pick<TopicImage, 'settings'>,
  state: PartitionState,
): string | undefined {
  const { isr, elr, suspects } = state;
  for (const node of isr) {
    if (image.brokers.get(node)?.state === 'fenced') return `isr names ${node}, which is fenced`;
  }
  if (shares(isr, elr)) return 'isr and elr share a broker';
  if (shares(isr, suspects) || shares(elr, suspects)) return 'isr or elr names a suspect replica';
  if (elr.length > 0 && isr.length >= minimumOf(topic, state)) {
    return 'elr is not empty although isr has the minimum';
  }
  return undefined;
}

function leaderFault(state: PartitionState): string | undefined {
  const { leader, successor, roundPurpose } = state;
  if (leader !== undefined && !state.isr.includes(leader)) return `leader ${leader} is not in isr`;
  if ((leader === undefined) !== (roundPurpose !== 'unspecified')) {
    return 'a round has a purpose, and a partition with a leader has none';
  }
  if (successor !== undefined && !state.replicas.includes(successor)) {
    return `successor ${successor} is not a replica`;
  }
  return successor !== undefined && successor === leader ? 'the leader succeeds itself' : undefined;
}

function semiSyncFault(state: PartitionState): string | undefined {
  const { semiSyncMembers, semiSyncReplicas } = state;
  if ((semiSyncMembers.length === 0) !== (semiSyncReplicas === 0)) {
    return 'k is counted exactly while there are semi-sync members';
  }
  return semiSyncReplicas > limits.replicationFactorMax
    ? `k is ${semiSyncReplicas}; expected at most ${limits.replicationFactorMax}`
    : undefined;
}

function subsetFault(
  name: string,
  nodes: readonly NodeId[],
  replicas: readonly NodeId[],
): string | undefined {
  if (nodes.length === 0 || nodes === replicas) return undefined;
  if (hasDoubles(nodes)) return `${name} ${text(nodes)} names a broker twice`;
  for (const node of nodes) {
    if (!replicas.includes(node)) return `${name} names ${node}, which is not a replica`;
  }
  return undefined;
}

function hasDoubles(nodes: readonly NodeId[]): boolean {
  for (let i = 1; i < nodes.length; i++) {
    if (nodes.indexOf(nodes[i] as NodeId) !== i) return true;
  }
  return false;
}

function shares(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  if (a.length === 0) return false;
  for (const node of b) if (a.includes(node)) return true;
  return false;
}

function text(nodes: readonly NodeId[]): string {
  return nodes.join(',');
}
