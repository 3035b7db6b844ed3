/**
 * A consumer group: the fold of the records of the internal topic that carry its name. Nothing else of
 * a group survives a crash, so a failover of its coordinator is a replay and nothing more.
 *
 * Invariants: (1) a partition is held by at most one member; (2) it is given to the next one only after
 * the one before released it or was removed; (3) the generation grows with every change of what the
 * members hold or are to hold.
 */
import type { PartitionNumber, TopicId } from '../../../proto/model/ids.ts';
import { partitionNumber } from '../../../proto/model/ids.ts';
import type { LeaderEpoch, Offset } from '../../../proto/model/offset.ts';

/** How partitions are spread over members. */
export type AssignorName = 'uniform' | 'range';

/** A partition as the key of a map: `<topic id>/<number>`. */
export type PartitionKey = `${TopicId}/${number}`;

export interface PartitionPlace {
  readonly topicId: TopicId;
  readonly partition: PartitionNumber;
}

/** One group. Only `replay` changes it. */
export interface GroupState {
  readonly group: string;
  /** Grows with each change of members or assignment; 0 for a group that only has offsets. */
  generation: number;
  /** Wall clock at which the generation last grew; of a group without members: when it was left. */
  changedAtMs: number;
  assignor: AssignorName;
  readonly members: Map<string, Member>;
  readonly offsets: Map<PartitionKey, OffsetRecord>;
}

/** One member, whole: a change of anything in it is one record. */
export interface Member {
  readonly member: string;
  /** Name of a static member; empty for the others. */
  readonly instance: string;
  readonly clientHost: string;
  readonly rack: string;
  readonly subscription: Subscription;
  readonly sessionTimeoutMs: number;
  /** What it was told that it may hold and has not released. */
  readonly held: ReadonlyMap<PartitionKey, Held>;
  /** What it is to hold in the end. */
  readonly target: ReadonlySet<PartitionKey>;
}

export interface Subscription {
  readonly topics: readonly string[];
  /** Empty: none. */
  readonly pattern: string;
}

export interface Held {
  /** The generation in which the member was given it: commits of earlier ones are refused. */
  readonly given: number;
  /** The generation that asks the member to release it; undefined while it may keep it. */
  readonly revoked: number | undefined;
}

/** What a member has handled of a partition: everything below `offset`. */
export interface OffsetRecord {
  readonly offset: Offset;
  /** Epoch of the record before it (rule B6.8). */
  readonly leaderEpoch: LeaderEpoch;
  readonly note: string;
  readonly committedAtMs: number;
}

/** A committed fact about a group. */
export type GroupRecord =
  | {
      readonly kind: 'head';
      readonly group: string;
      readonly generation: number;
      readonly assignor: AssignorName;
    }
  | { readonly kind: 'head-removed'; readonly group: string }
  | { readonly kind: 'member'; readonly group: string; readonly member: Member }
  | { readonly kind: 'member-removed'; readonly group: string; readonly member: string }
  | {
      readonly kind: 'offset';
      readonly group: string;
      readonly partition: PartitionKey;
      readonly offset: OffsetRecord;
    }
  | {
      readonly kind: 'offset-removed';
      readonly group: string;
      readonly partition: PartitionKey;
    };

/** All groups of one partition of the internal topic. */
export type Groups = Map<string, GroupState>;

/** Folds one record that was decided at this time of the wall clock: in the log, its timestamp. */
export function replay(groups: Groups, record: GroupRecord, decidedAtMs: number): void {
  if (record.kind === 'head-removed') {
    groups.delete(record.group);
    return;
  }
  let group = groups.get(record.group);
  if (group === undefined) {
    group = emptyGroup(record.group);
    groups.set(record.group, group);
  }
  switch (record.kind) {
    case 'head':
      group.generation = record.generation;
      group.changedAtMs = decidedAtMs;
      group.assignor = record.assignor;
      return;
    case 'member':
      group.members.set(record.member.member, record.member);
      return;
    case 'member-removed':
      group.members.delete(record.member);
      break;
    case 'offset':
      group.offsets.set(record.partition, record.offset);
      return;
    case 'offset-removed':
      group.offsets.delete(record.partition);
  }
  // Removals may be read after the group itself is gone: nothing of it comes back by them.
  const isNothing = group.members.size === 0 && group.offsets.size === 0 && group.generation === 0;
  if (isNothing) groups.delete(record.group);
}

/** A group that nobody has joined. */
export function emptyGroup(group: string): GroupState {
  return {
    group,
    generation: 0,
    changedAtMs: 0,
    assignor: 'uniform',
    members: new Map(),
    offsets: new Map(),
  };
}

/** The key of a partition. */
export function partitionKey(topicId: TopicId, partition: number): PartitionKey {
  return `${topicId}/${partition}`;
}

/** The partition of a key. */
export function placeOf(key: PartitionKey): PartitionPlace {
  const slash = key.lastIndexOf('/');
  return {
    topicId: key.slice(0, slash) as TopicId,
    partition: partitionNumber(Number(key.slice(slash + 1))),
  };
}

/** `empty`: no members. `reconciling`: some partition is on its way. */
export type GroupPhase = 'empty' | 'reconciling' | 'stable';

/** In which phase a group is. */
export function phaseOf(group: GroupState): GroupPhase {
  if (group.members.size === 0) return 'empty';
  for (const { held, target } of group.members.values()) {
    for (const { revoked } of held.values()) if (revoked !== undefined) return 'reconciling';
    for (const key of target) if (!held.has(key)) return 'reconciling';
  }
  return 'stable';
}
