/**
 * The steps that a partition's committed state can take. Every decision builds the next state here, so
 * the rules about who is in which set stand in one place.
 *
 * Invariants: (1) each step raises the partition epoch by one, a round also the leader epoch (rule
 * B3.1); (2) who leaves an in-sync set that falls below the minimum stays eligible, unless its storage
 * is suspect (rules B3.7, B3.10); (3) semi-sync members leave only when the leader has settled them.
 */
import type { HostedPartition, TopicImage } from '../../../proto/metadata/image.ts';
import { minimumOf } from '../../../proto/metadata/partition-fault.ts';
import {
  type MetadataRecord,
  type PartitionState,
  type RoundPurpose,
  record,
} from '../../../proto/metadata/records.ts';
import type { NodeId, TopicId } from '../../../proto/model/ids.ts';
import { leaderEpoch, partitionEpoch } from '../../../proto/model/offset.ts';
import { type ClusterRules, everyClusterRule } from './rules.ts';

/**
 * The state one partition epoch further. With the minimum in sync nobody else is eligible or waited for,
 * and a successor that is not in sync any more is forgotten.
 */
export function stepped(
  topic: Pick<TopicImage, 'settings'>,
  state: PartitionState,
  change: Partial<Omit<PartitionState, 'partition' | 'partitionEpoch'>>,
  rules: ClusterRules = everyClusterRule,
): PartitionState {
  const next: { -readonly [Field in keyof PartitionState]: PartitionState[Field] } = {
    ...state,
    ...change,
  };
  next.partitionEpoch = partitionEpoch(state.partitionEpoch + (rules.raisesPartitionEpoch ? 1 : 0));
  if (rules.emptiesEligible && next.isr.length >= minimumOf(topic, next)) {
    next.elr = nobody;
    next.lastKnownElr = nobody;
  }
  const { successor, leader } = next;
  if (leader !== undefined && successor !== undefined && !next.isr.includes(successor)) {
    next.successor = undefined;
  }
  return next;
}

const nobody: readonly NodeId[] = Object.freeze([]);

type Sets = Pick<PartitionState, 'isr' | 'elr' | 'lastKnownElr' | 'suspects' | 'semiSyncMembers'>;

/** The sets after the in-sync set became `isr`. Whether anybody stays eligible says `stepped`. */
export function withIsr(
  state: PartitionState,
  isr: readonly NodeId[],
  rules: ClusterRules = everyClusterRule,
): Sets {
  const added = without(isr, state.isr);
  const removed = rules.keepsEligible ? without(state.isr, isr) : nobody;
  return {
    isr,
    elr: without(union(state.elr, removed), rules.separatesSets ? isr : nobody),
    lastKnownElr: without(state.lastKnownElr, isr),
    // Who is in sync has caught up, whatever its storage had lost.
    suspects: without(state.suspects, added),
    // Everybody in sync may come to hold what is acknowledged at semi-sync while the level is used.
    semiSyncMembers: state.semiSyncMembers.length === 0 ? [] : union(state.semiSyncMembers, added),
  };
}

/**
 * The replica's storage is suspect: out of both sets; a former member is remembered, because it is
 * waited for when nobody else is left (rule B3.11). A semi-sync member stays one and counts as missing.
 */
export function withSuspect(
  state: PartitionState,
  node: NodeId,
  rules: ClusterRules = everyClusterRule,
): Sets {
  const sets = withIsr(state, without(state.isr, [node]), rules);
  const wasMember = rules.remembersFormer && (state.isr.includes(node) || state.elr.includes(node));
  return {
    ...sets,
    elr: without(sets.elr, [node]),
    lastKnownElr: wasMember ? union(sets.lastKnownElr, [node]) : sets.lastKnownElr,
    suspects: union(sets.suspects, [node]),
  };
}

/** "Epoch + 1, no leader": applying it is the promise (rule 6.5). */
export function withRound(
  state: PartitionState,
  purpose: Exclude<RoundPurpose, 'unspecified'>,
  rules: ClusterRules = everyClusterRule,
): Pick<PartitionState, 'leader' | 'leaderEpoch' | 'roundPurpose' | 'successor'> {
  return {
    leader: undefined,
    leaderEpoch: leaderEpoch(state.leaderEpoch + (rules.raisesLeaderEpoch ? 1 : 0)),
    roundPurpose: purpose,
    successor: purpose === 'planned' ? state.successor : undefined,
  };
}

/** A step under the same leader and epoch. */
export function changed(topicId: TopicId, state: PartitionState): MetadataRecord {
  return record('partitionChanged', { topicId, state });
}

/** A step that opens a round. */
export function opened(topicId: TopicId, state: PartitionState): MetadataRecord {
  return record('roundOpened', { topicId, state });
}

/** What people call a partition. */
export function subjectOf({ topic, partition }: HostedPartition): string {
  return `${topic.name}/${partition.partition}`;
}

export function without(nodes: readonly NodeId[], gone: readonly NodeId[]): readonly NodeId[] {
  return nodes.some((node) => gone.includes(node))
    ? nodes.filter((node) => !gone.includes(node))
    : nodes;
}

export function union(a: readonly NodeId[], b: readonly NodeId[]): readonly NodeId[] {
  const missing = b.filter((node) => !a.includes(node));
  return missing.length === 0 ? a : [...a, ...missing];
}

/** Whether both have the same members, in any order. */
export function sameMembers(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  return a.length === b.length && a.every((node) => b.includes(node));
}
