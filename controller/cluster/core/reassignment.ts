/**
 * Moving replicas: grow, catch up, shrink (rule B3.16).
 *
 * `replicas` holds the old and the new ones while it runs, the wanted order first. The leader alone adds
 * to the in-sync set; when all added ones are in it, the phase turns (`adding` becomes empty) and who is
 * to go may not join any more. Each step is a record of its own.
 *
 * Invariants: (1) the in-sync set never falls below the minimum by a reassignment; (2) a semi-sync
 * member is dropped only after the leader has settled it (rule 6.5); (3) the leader is not dropped: it
 * hands over first.
 */
import type { HostedPartition, MetadataImage } from '../../../proto/metadata/image.ts';
import { minimumOf } from '../../../proto/metadata/partition-fault.ts';
import type { MetadataRecord, PartitionState } from '../../../proto/metadata/records.ts';
import type { NodeId, PartitionNumber } from '../../../proto/model/ids.ts';
import { limits } from '../../../proto/model/limits.ts';
import { decided, type EventDraft, type Outcome, type Refused, refused } from './decision.ts';
import { findPartition } from './lookup.ts';
import { changed, sameMembers, stepped, subjectOf, withIsr, without } from './partition-step.ts';
import { type ClusterRules, everyClusterRule } from './rules.ts';
import { successorFor } from './successor.ts';

export interface Reassignment {
  readonly topic: string;
  readonly partition: PartitionNumber;
  /** The target in preference order; empty cancels. */
  readonly replicas: readonly NodeId[];
}

/** Begins or cancels a reassignment of one partition. */
export function decideReassignment(
  image: MetadataImage,
  request: Reassignment,
  rules: ClusterRules = everyClusterRule,
): Outcome<undefined> {
  const hosted = findPartition(image, request.topic, request.partition);
  if ('code' in hosted) return hosted;
  if (request.replicas.length === 0) return cancel(image, hosted, rules);
  const fault = targetFault(image, hosted, request.replicas);
  return fault ?? decided(undefined, ...beginReassignment(image, hosted, request.replicas, rules));
}

/** The records that begin a reassignment to a target that was found possible. */
export function beginReassignment(
  image: MetadataImage,
  hosted: HostedPartition,
  target: readonly NodeId[],
  rules: ClusterRules = everyClusterRule,
): readonly [MetadataRecord[], EventDraft[]] {
  const { topic, partition } = hosted;
  const removing = without(partition.replicas, target);
  const state = stepped(topic, partition, {
    replicas: [...target, ...removing],
    adding: without(target, partition.replicas),
    removing,
  });
  const event = eventOf(hosted, state, 'reassignment-started', 'asked for');
  const steps = reassignmentSteps(image, { topic, partition: state }, rules);
  return [
    [changed(topic.topicId, state), ...steps.records],
    [event, ...steps.events],
  ];
}

/**
 * What a running reassignment can do as things stand. Called after each step of such a partition; does
 * nothing for others.
 */
export function reassignmentSteps(
  image: Pick<MetadataImage, 'brokers' | 'hosting'>,
  { topic, partition }: HostedPartition,
  rules: ClusterRules = everyClusterRule,
): { readonly records: MetadataRecord[]; readonly events: EventDraft[] } {
  const records: MetadataRecord[] = [];
  const events: EventDraft[] = [];
  let state = partition;
  for (;;) {
    const next = nextStep(image, { topic, partition: state }, rules);
    if (next === undefined) return { records, events };
    events.push(
      eventOf({ topic, partition: state }, next, 'reassignment-advanced', phaseOf(state, next)),
    );
    records.push(changed(topic.topicId, next));
    state = next;
  }
}

function nextStep(
  image: Pick<MetadataImage, 'brokers' | 'hosting'>,
  hosted: HostedPartition,
  rules: ClusterRules,
): PartitionState | undefined {
  const { topic, partition: state } = hosted;
  const { adding, removing, isr, leader, successor } = state;
  if (leader === undefined) return undefined;
  if (adding.length > 0) {
    return adding.every((node) => isr.includes(node)) || !rules.growsFirst
      ? stepped(topic, state, { adding: [] })
      : undefined;
  }
  if (removing.length === 0) return undefined;
  if (rules.handsOverFirst && removing.includes(leader)) {
    const wanted = successorFor(image, state);
    const isAsked = successor !== undefined && !removing.includes(successor);
    return isAsked || wanted === undefined
      ? undefined
      : stepped(topic, state, { successor: wanted });
  }
  const kept = without(isr, removing);
  if (rules.keepsMinimum && kept.length < minimumOf(topic, state)) return undefined;
  if (kept.length < isr.length) return stepped(topic, state, withIsr(state, kept));
  const areSettled = !removing.some((node) => state.semiSyncMembers.includes(node));
  if (rules.awaitsSettling && !areSettled) return undefined;
  return stepped(topic, state, {
    replicas: without(state.replicas, removing),
    elr: without(state.elr, removing),
    lastKnownElr: without(state.lastKnownElr, removing),
    suspects: without(state.suspects, removing),
    removing: [],
  });
}

/** Cancelling turns the roles around: who was to come goes again, by the same careful steps. */
function cancel(
  image: MetadataImage,
  hosted: HostedPartition,
  rules: ClusterRules,
): Outcome<undefined> {
  const { topic, partition } = hosted;
  if (partition.adding.length === 0) {
    const reason =
      partition.removing.length === 0 ? 'none is running' : 'it only drops replicas now';
    return refused('INVALID_REASSIGNMENT', `${subjectOf(hosted)}: nothing to cancel, ${reason}`);
  }
  const { adding } = partition;
  const state = stepped(topic, partition, {
    replicas: [...without(partition.replicas, adding), ...adding],
    adding: [],
    removing: adding,
  });
  const event = eventOf(hosted, state, 'reassignment-cancelled', 'asked for');
  const steps = reassignmentSteps(image, { topic, partition: state }, rules);
  return decided(
    undefined,
    [changed(topic.topicId, state), ...steps.records],
    [event, ...steps.events],
  );
}

function targetFault(
  image: MetadataImage,
  hosted: HostedPartition,
  target: readonly NodeId[],
): Refused | undefined {
  const { topic, partition } = hosted;
  const no = (why: string, facts = {}): Refused =>
    refused('INVALID_REASSIGNMENT', `${subjectOf(hosted)}: ${why}`, facts);
  if (partition.adding.length > 0 || partition.removing.length > 0) {
    return no('a reassignment is running; cancel it or wait');
  }
  if (new Set(target).size < target.length)
    return no(`replicas ${target.join(',')} repeat a broker`);
  const most = Math.floor(limits.replicationFactorMax / 2);
  if (target.length > most) return no(`${target.length} replicas; expected 1 to ${most}`);
  for (const node of target) {
    const broker = image.brokers.get(node);
    if (broker === undefined) return no(`broker ${node} is not registered`, { nodeId: node });
    const isAdded = !partition.replicas.includes(node);
    if (isAdded && broker.intent === 'remove') return no(`broker ${node} is being removed`);
    if (isAdded && broker.state !== 'active') return no(`broker ${node} is ${broker.state}`);
  }
  const { minInsyncReplicas, semiSyncReplicas } = topic.settings;
  const least = Math.max(
    minInsyncReplicas ?? 1,
    semiSyncReplicas === 'majority' ? 1 : semiSyncReplicas,
  );
  if (target.length < least) return no(`${target.length} replicas; the topic asks for ${least}`);
  const isSame = sameMembers(target, partition.replicas);
  return isSame && target.every((node, i) => node === partition.replicas[i])
    ? no(`replicas are ${target.join(',')} already`)
    : undefined;
}

function phaseOf(before: PartitionState, after: PartitionState): string {
  if (before.adding.length > after.adding.length) return 'all added replicas are in sync';
  if (after.successor !== before.successor) return 'the leader is to go';
  return after.removing.length === 0 ? 'done' : 'replicas to drop leave the in-sync set';
}

function eventOf(
  hosted: HostedPartition,
  { replicas, adding, removing, isr }: PartitionState,
  kind: EventDraft['kind'],
  reason: string,
): EventDraft {
  const evidence = {
    replicas: replicas.join(','),
    adding: adding.join(','),
    removing: removing.join(','),
    isr: isr.join(','),
  };
  return { kind, subject: subjectOf(hosted), reason, evidence };
}
