/**
 * Decisions about members: who comes, goes, falls silent or lets go of a partition. Each is a list of
 * records; what members are told of it follows from the records and is sent once they are committed.
 */
import type { MetadataImage } from '../../../proto/metadata/image.ts';
import type { ErrorCode } from '../../../proto/model/errors.ts';
import { limits } from '../../../proto/model/limits.ts';
import { isAssignor } from './assignor.ts';
import type {
  AssignorName,
  GroupRecord,
  GroupState,
  Held,
  Member,
  PartitionKey,
  Subscription,
} from './group-state.ts';
import { draftOf, reconcile } from './reconcile.ts';
import { everyGroupRule, type GroupRules } from './rules.ts';
import { compilePattern } from './topic-pattern.ts';

export interface Refusal {
  readonly kind: 'refused';
  readonly code: ErrorCode;
  readonly message: string;
}

/** Records to commit, in order and together; empty if there is nothing to change. */
export interface Decided {
  readonly kind: 'decided';
  readonly records: readonly GroupRecord[];
}

/** Who wants to be a member. */
export interface Joining {
  readonly member: string;
  readonly instance: string;
  readonly clientHost: string;
  readonly rack: string;
  readonly subscription: Subscription;
  readonly sessionTimeoutMs: number;
  /** Empty: the group's, or uniform. */
  readonly assignor: string;
}

/** Each change of a group costs work in the number of its members. */
const membersMax = 2_000;
/** Shorter ones would end by a pause of the garbage collector; longer ones would hide the dead. */
const sessionMs = { min: 1_000, max: 600_000 };
const subscribedMax = 1_000;
/** Of all members together: a change may write every member anew, and it is one batch of the group log. */
const subscribedLengthMax = 2 * 1024 * 1024;

/** A member comes, comes back, or changes what it subscribes to. */
export function decideJoin(
  group: GroupState,
  joining: Joining,
  image: MetadataImage,
  rules: GroupRules = everyGroupRule,
): Decided | Refusal {
  const fault = faultOf(group, joining);
  if (fault !== undefined) return refused('INVALID_REQUEST', fault);
  const draft = draftOf(group, rules);
  const known = group.members.get(joining.member);
  const before = known ?? staticBefore(group, joining.instance);
  if (known !== undefined && isSame(known, joining)) return decided([]);
  if (before !== undefined) draft.members.delete(before.member);
  draft.members.set(joining.member, {
    member: joining.member,
    instance: joining.instance,
    clientHost: joining.clientHost,
    rack: joining.rack,
    subscription: joining.subscription,
    sessionTimeoutMs: joining.sessionTimeoutMs,
    held: heldAfter(group, before, joining.member),
    target: before?.target ?? new Set(),
  });
  draft.retargets = before === undefined || !isSameSubscription(before, joining);
  if (group.members.size === 0) draft.assignor = assignorNamed(joining.assignor) ?? group.assignor;
  return decided(reconcile(group, draft, image));
}

/** Members leave, or their sessions have ended: what they held is free at once. */
export function decideRemoval(
  group: GroupState,
  members: readonly string[],
  image: MetadataImage,
  rules: GroupRules = everyGroupRule,
): Decided {
  const draft = draftOf(group, rules);
  for (const member of members) draft.retargets = draft.members.delete(member) || draft.retargets;
  return decided(draft.retargets ? reconcile(group, draft, image) : []);
}

/**
 * A member says what it holds. What it was asked to release before the generation that it speaks of,
 * and no longer names, is free; nothing else is, since the message may be older than an assignment.
 */
export function decideOwned(
  group: GroupState,
  owned: {
    readonly member: string;
    readonly generation: number;
    readonly partitions: ReadonlySet<PartitionKey>;
  },
  image: MetadataImage,
  rules: GroupRules = everyGroupRule,
): Decided {
  const member = group.members.get(owned.member);
  if (member === undefined) return decided([]);
  const held = new Map(member.held);
  for (const [key, { revoked }] of member.held) {
    if (owned.partitions.has(key)) continue;
    const isAsked = revoked !== undefined && revoked <= owned.generation;
    if (!isAsked && rules.comparesGeneration) continue;
    held.delete(key);
  }
  if (held.size === member.held.size) return decided([]);
  const draft = draftOf(group, rules);
  draft.members.set(member.member, { ...member, held });
  return decided(reconcile(group, draft, image));
}

/** Topics came, went or grew, or this coordinator has just begun. */
export function decideTopicsChanged(group: GroupState, image: MetadataImage): Decided {
  if (group.members.size === 0) return decided([]);
  return decided(reconcile(group, { ...draftOf(group), retargets: true }, image));
}

/** What one member may hold at present, and since when. */
export function assignmentOf(member: Member): Map<PartitionKey, number> {
  const partitions = new Map<PartitionKey, number>();
  for (const [key, { given, revoked }] of member.held)
    if (revoked === undefined) partitions.set(key, given);
  return partitions;
}

function faultOf(group: GroupState, joining: Joining): string | undefined {
  const { subscription, sessionTimeoutMs, assignor } = joining;
  if (joining.member === '') return 'a member without a name';
  if (subscription.topics.length === 0 && subscription.pattern === '')
    return 'a member subscribes to topics or to a pattern';
  if (subscription.topics.length > subscribedMax)
    return `${subscription.topics.length} topics; expected at most ${subscribedMax}`;
  if (subscription.topics.some((topic) => topic.length > limits.topicNameBytesMax))
    return `a topic name of more than ${limits.topicNameBytesMax} bytes`;
  if (assignor !== '' && !isAssignor(assignor))
    return `assignor ${JSON.stringify(assignor)}; expected uniform or range`;
  if (sessionTimeoutMs < sessionMs.min || sessionTimeoutMs > sessionMs.max)
    return `a session of ${sessionTimeoutMs} ms; expected ${sessionMs.min} to ${sessionMs.max}`;
  if (!group.members.has(joining.member) && group.members.size >= membersMax)
    return `the group has ${membersMax} members, which is the most`;
  if (subscribedLength(group, joining) > subscribedLengthMax)
    return `the members of the group subscribe to names of more than ${subscribedLengthMax} bytes together`;
  const compiled = subscription.pattern === '' ? undefined : compilePattern(subscription.pattern);
  return compiled?.kind === 'fault' ? `topic pattern: ${compiled.reason}` : undefined;
}

/** With the one that joins, in the place of its earlier self. */
function subscribedLength(group: GroupState, joining: Joining): number {
  let length = lengthOf(joining.subscription);
  for (const { member, subscription } of group.members.values())
    if (member !== joining.member) length += lengthOf(subscription);
  return length;
}

function lengthOf({ topics, pattern }: Subscription): number {
  return topics.reduce((sum, topic) => sum + topic.length, pattern.length);
}

function assignorNamed(name: string): AssignorName | undefined {
  return isAssignor(name) ? name : undefined;
}

/** The member of this instance name: the same process, started again under another member id. */
function staticBefore(group: GroupState, instance: string): Member | undefined {
  if (instance === '') return undefined;
  for (const member of group.members.values()) if (member.instance === instance) return member;
  return undefined;
}

/** A restarted static member gets everything anew, so that its predecessor's commits are refused. */
function heldAfter(
  group: GroupState,
  before: Member | undefined,
  member: string,
): ReadonlyMap<PartitionKey, Held> {
  if (before === undefined) return new Map();
  if (before.member === member) return before.held;
  const given = group.generation + 1;
  const held = new Map<PartitionKey, Held>();
  for (const [key, { revoked }] of before.held)
    if (revoked === undefined) held.set(key, { given, revoked });
  return held;
}

function isSame(known: Member, joining: Joining): boolean {
  return (
    isSameSubscription(known, joining) &&
    known.sessionTimeoutMs === joining.sessionTimeoutMs &&
    known.instance === joining.instance &&
    known.clientHost === joining.clientHost &&
    known.rack === joining.rack
  );
}

function isSameSubscription(known: Member, joining: Joining): boolean {
  const { topics, pattern } = known.subscription;
  const other = joining.subscription;
  if (pattern !== other.pattern || topics.length !== other.topics.length) return false;
  return topics.every((topic, index) => topic === other.topics[index]);
}

function decided(records: readonly GroupRecord[]): Decided {
  return { kind: 'decided', records };
}

function refused(code: ErrorCode, message: string): Refusal {
  return { kind: 'refused', code, message };
}
