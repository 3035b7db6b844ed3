/**
 * Decisions about committed offsets, each fenced by the generation (rule B6.7): a member commits what
 * it holds, under a generation in which it was given it; anybody else only while the group is empty.
 */
import type { ErrorCode } from '../../../proto/model/errors.ts';
import type { GroupRecord, GroupState, OffsetRecord, PartitionKey } from './group-state.ts';
import type { Decided, Refusal } from './membership.ts';
import { everyGroupRule, type GroupRules } from './rules.ts';

export interface Commit {
  /** Empty: from outside the group. */
  readonly member: string;
  readonly generation: number;
  readonly offsets: readonly (OffsetRecord & { readonly partition: PartitionKey })[];
}

/** What becomes of each offset of a commit, in order; undefined: it is among the records. */
export interface CommitDecision {
  readonly refusals: readonly (ErrorCode | undefined)[];
  readonly records: readonly GroupRecord[];
}

/** Decides a commit, partition by partition. */
export function decideCommit(
  group: GroupState,
  commit: Commit,
  rules: GroupRules = everyGroupRule,
): CommitDecision {
  const refusals = commit.offsets.map(({ partition }) =>
    refusalOf(group, commit, partition, rules),
  );
  const records: GroupRecord[] = [];
  commit.offsets.forEach(({ partition, offset, leaderEpoch, note, committedAtMs }, index) => {
    if (refusals[index] !== undefined) return;
    const value = { offset, leaderEpoch, note, committedAtMs };
    records.push({ kind: 'offset', group: group.group, partition, offset: value });
  });
  return { refusals, records };
}

/** A group goes with everything in it, once it has no members. */
export function decideDelete(group: GroupState): Decided | Refusal {
  if (group.members.size > 0) {
    const message = `group ${group.group} has ${group.members.size} members`;
    return { kind: 'refused', code: 'GROUP_NOT_EMPTY', message };
  }
  const name = group.group;
  const records = Array.from(
    group.offsets.keys(),
    (partition): GroupRecord => ({ kind: 'offset-removed', group: name, partition }),
  );
  return { kind: 'decided', records: [...records, { kind: 'head-removed', group: name }] };
}

function refusalOf(
  group: GroupState,
  commit: Commit,
  partition: PartitionKey,
  rules: GroupRules,
): ErrorCode | undefined {
  if (commit.member === '') {
    return rules.refusesOutsiders && group.members.size > 0 ? 'GROUP_NOT_EMPTY' : undefined;
  }
  const member = group.members.get(commit.member);
  if (member === undefined) return 'UNKNOWN_MEMBER';
  const held = member.held.get(partition);
  const isStale = held === undefined || commit.generation < held.given;
  return rules.fencesCommits && isStale ? 'STALE_GENERATION' : undefined;
}
