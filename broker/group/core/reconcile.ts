/**
 * From who wants what to who holds what, one careful step at a time: what a member is not to keep is
 * taken back first and given on only when nobody holds it any more.
 */
import { type MetadataImage, topicNamed } from '../../../proto/metadata/image.ts';
import { type AssignableTopic, assign } from './assignor.ts';
import type {
  AssignorName,
  GroupRecord,
  GroupState,
  Held,
  Member,
  PartitionKey,
} from './group-state.ts';
import { everyGroupRule, type GroupRules } from './rules.ts';
import { compilePattern } from './topic-pattern.ts';

/** A group as a decision wants it: members before partitions are given and taken. */
export interface Draft {
  readonly members: Map<string, Member>;
  assignor: AssignorName;
  /** The targets are to be worked out anew. */
  retargets: boolean;
  readonly rules: GroupRules;
}

/** A draft that changes nothing. */
export function draftOf(group: GroupState, rules: GroupRules = everyGroupRule): Draft {
  return { members: new Map(group.members), assignor: group.assignor, retargets: false, rules };
}

/** What the draft makes of the group, as records; none if nothing changes. */
export function reconcile(group: GroupState, draft: Draft, image: MetadataImage): GroupRecord[] {
  const generation = group.generation + 1;
  if (draft.retargets) retarget(draft, image);
  takeBack(draft, generation);
  giveOut(draft, generation);
  return difference(group, draft, generation);
}

/** The topics that a member subscribes to and that exist, in order of their names. */
export function topicsOf(member: Member, image: MetadataImage): AssignableTopic[] {
  const { topics, pattern } = member.subscription;
  const found = new Map<string, AssignableTopic>();
  const take = (topic: ReturnType<typeof topicNamed>): void => {
    if (topic === undefined || topic.isInternal) return;
    const { topicId, name } = topic;
    found.set(name, { topicId, name, partitions: topic.partitions.size });
  };
  for (const name of topics) take(topicNamed(image, name));
  const matcher = pattern === '' ? undefined : compilePattern(pattern);
  if (matcher?.kind === 'pattern')
    for (const topic of image.topics.values()) if (matcher.matches(topic.name)) take(topic);
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function retarget(draft: Draft, image: MetadataImage): void {
  const candidates = Array.from(draft.members.values(), (member) => ({
    member: member.member,
    topics: topicsOf(member, image),
    target: member.target,
  }));
  for (const [name, target] of assign(draft.assignor, candidates)) {
    const member = draft.members.get(name);
    if (member !== undefined && !isSameSet(member.target, target))
      draft.members.set(name, { ...member, target });
  }
}

/** Asks for the release of what is held and not wanted; what is wanted again is kept. */
function takeBack(draft: Draft, generation: number): void {
  for (const [name, member] of draft.members) {
    let held: Map<PartitionKey, Held> | undefined;
    for (const [key, one] of member.held) {
      const isWanted = member.target.has(key);
      if (isWanted === (one.revoked === undefined)) continue;
      held ??= new Map(member.held);
      held.set(key, { given: one.given, revoked: isWanted ? undefined : generation });
    }
    if (held !== undefined) draft.members.set(name, { ...member, held });
  }
}

/** Gives what nobody holds to the member that is to hold it. */
function giveOut(draft: Draft, generation: number): void {
  const taken = new Set<PartitionKey>();
  if (draft.rules.takesBackFirst) {
    for (const { held } of draft.members.values()) for (const key of held.keys()) taken.add(key);
  }
  for (const [name, member] of draft.members) {
    let held: Map<PartitionKey, Held> | undefined;
    for (const key of member.target) {
      if (taken.has(key) || member.held.has(key)) continue;
      taken.add(key);
      held ??= new Map(member.held);
      held.set(key, { given: generation, revoked: undefined });
    }
    if (held !== undefined) draft.members.set(name, { ...member, held });
  }
}

function difference(group: GroupState, draft: Draft, generation: number): GroupRecord[] {
  const records: GroupRecord[] = [];
  const name = group.group;
  for (const member of group.members.keys())
    if (!draft.members.has(member)) records.push({ kind: 'member-removed', group: name, member });
  for (const [key, member] of draft.members)
    if (group.members.get(key) !== member) records.push({ kind: 'member', group: name, member });
  if (records.length === 0 && draft.assignor === group.assignor) return [];
  return [{ kind: 'head', group: name, generation, assignor: draft.assignor }, ...records];
}

function isSameSet(a: ReadonlySet<PartitionKey>, b: ReadonlySet<PartitionKey>): boolean {
  if (a.size !== b.size) return false;
  for (const key of a) if (!b.has(key)) return false;
  return true;
}
