/**
 * A leader's proposal about its own partition, taken as compare-and-set (rules B3.2 to B3.8, 6.5).
 *
 * Invariants: (1) both epochs and the leader's incarnation are the controller's own, or nothing
 * changes; (2) who is added is registered under the incarnation that the leader judged, serves, and is
 * not on its way out; (3) an accepted proposal raises the partition epoch even if it changes no set, so
 * that every earlier one of the same leader is outdated; (4) k, as elections count it, rises only when
 * the leader has settled the members under the greater k.
 */
import { mayJoinIsr } from '../../../proto/metadata/eligibility.ts';
import type { HostedPartition, MetadataImage } from '../../../proto/metadata/image.ts';
import type { MetadataRecord, PartitionState } from '../../../proto/metadata/records.ts';
import type { NodeId, PartitionNumber, TopicId } from '../../../proto/model/ids.ts';
import type { BrokerEpoch, LeaderEpoch, PartitionEpoch } from '../../../proto/model/offset.ts';
import { type EventDraft, type Refused, refused } from './decision.ts';
import {
  changed,
  opened,
  sameMembers,
  stepped,
  subjectOf,
  union,
  withIsr,
  withRound,
} from './partition-step.ts';
import { type ClusterRules, everyClusterRule } from './rules.ts';

export interface PartitionProposal {
  readonly topicId: TopicId;
  readonly partition: PartitionNumber;
  readonly leaderEpoch: LeaderEpoch;
  readonly partitionEpoch: PartitionEpoch;
  readonly isr: readonly { readonly nodeId: NodeId; readonly brokerEpoch: BrokerEpoch }[];
  readonly semiSync: 'unspecified' | 'open' | 'settle' | 'close';
  readonly semiSyncReplicas: number;
  /** The successor of a planned move has stored everything, and the leader appends nothing more. */
  readonly handedOverTo?: NodeId | undefined;
  /** The leader may not lead in this epoch. */
  readonly resigns: boolean;
  readonly reason: string;
  readonly evidence: ReadonlyMap<string, string>;
}

/** One step of one partition, or why there is none. */
export type ProposalVerdict =
  | {
      readonly kind: 'accepted';
      readonly state: PartitionState;
      readonly record: MetadataRecord;
      readonly event: EventDraft | undefined;
    }
  | Refused;

/** Judges one proposal of the registered incarnation `sender`. */
export function judgeProposal(
  image: MetadataImage,
  sender: NodeId,
  proposal: PartitionProposal,
  rules: ClusterRules = everyClusterRule,
): ProposalVerdict {
  const { topicId } = proposal;
  const topic = image.topics.get(topicId);
  if (topic === undefined) return refused('UNKNOWN_TOPIC', `no topic ${topicId}`, { topicId });
  const partition = topic.partitions.get(proposal.partition);
  if (partition === undefined) {
    const facts = { topic: topic.name, partition: proposal.partition };
    return refused('UNKNOWN_PARTITION', `no partition ${topic.name}/${proposal.partition}`, facts);
  }
  const hosted = { topic, partition };
  const stale = leadershipFault(hosted, sender, proposal, rules);
  if (stale !== undefined) return stale;
  if (proposal.resigns) return resigned(hosted, sender, proposal, rules);
  if (proposal.handedOverTo !== undefined) return handedOver(hosted, proposal.handedOverTo, rules);
  if (rules.comparesEpochs && proposal.partitionEpoch !== partition.partitionEpoch) {
    const facts = { given: proposal.partitionEpoch, partitionEpoch: partition.partitionEpoch };
    return refused('STALE_PARTITION_EPOCH', `${subjectOf(hosted)} has changed since`, facts);
  }
  return (
    memberFault(image, hosted, proposal, rules) ??
    semiSyncFault(hosted, proposal) ??
    accepted(hosted, proposal, rules)
  );
}

function leadershipFault(
  hosted: HostedPartition,
  sender: NodeId,
  proposal: PartitionProposal,
  rules: ClusterRules,
): Refused | undefined {
  const { partition } = hosted;
  const facts = { leaderEpoch: partition.leaderEpoch, given: proposal.leaderEpoch };
  if (rules.comparesEpochs && proposal.leaderEpoch < partition.leaderEpoch) {
    return refused('FENCED_LEADER_EPOCH', `${subjectOf(hosted)} is in a later epoch`, facts);
  }
  if (proposal.leaderEpoch > partition.leaderEpoch) {
    return refused('UNKNOWN_LEADER_EPOCH', `${subjectOf(hosted)} has no such epoch`, facts);
  }
  return partition.leader === sender
    ? undefined
    : refused('NOT_LEADER', `broker ${sender} does not lead ${subjectOf(hosted)}`, facts);
}

function memberFault(
  image: MetadataImage,
  hosted: HostedPartition,
  { isr }: PartitionProposal,
  rules: ClusterRules,
): Refused | undefined {
  const { partition } = hosted;
  const members = isr.map(({ nodeId }) => nodeId);
  const subject = subjectOf(hosted);
  if (new Set(members).size < members.length) {
    return refused('INVALID_REQUEST', `${subject}: the proposed set names a broker twice`);
  }
  const stranger = members.find((node) => !partition.replicas.includes(node));
  if (stranger !== undefined) {
    return refused('INVALID_REQUEST', `${subject}: broker ${stranger} is not a replica`);
  }
  if (partition.leader === undefined || !members.includes(partition.leader)) {
    return refused('INVALID_REQUEST', `${subject}: the proposed set lacks the leader`);
  }
  for (const { nodeId, brokerEpoch } of isr) {
    const registered = image.brokers.get(nodeId)?.brokerEpoch;
    const isAdded = !partition.isr.includes(nodeId);
    const isJudged = registered === brokerEpoch || !rules.comparesMembers;
    const mayJoin = !isAdded || !rules.admitsServing || mayJoinIsr(image, partition, nodeId);
    if (isJudged && mayJoin) continue;
    const facts = { nodeId, judged: brokerEpoch, registered: registered ?? 'none' };
    return refused('INELIGIBLE_REPLICA', `${subject}: broker ${nodeId} may not join`, facts);
  }
  return undefined;
}

function semiSyncFault(hosted: HostedPartition, proposal: PartitionProposal): Refused | undefined {
  const { partition } = hosted;
  const { semiSync, semiSyncReplicas: k, isr } = proposal;
  if (semiSync === 'unspecified') return undefined;
  const subject = subjectOf(hosted);
  // What was stored by whom was judged on the committed set: a change of both at once was not.
  if (
    !sameMembers(
      isr.map(({ nodeId }) => nodeId),
      partition.isr,
    )
  ) {
    return refused('INVALID_REQUEST', `${subject}: one change at a time, the set or its semi-sync`);
  }
  if (semiSync === 'close') return undefined;
  const most = semiSync === 'settle' ? partition.isr.length : partition.replicas.length;
  if (Number.isInteger(k) && k >= 1 && k <= most) return undefined;
  const facts = { k, from: 1, to: most };
  return refused('INVALID_REQUEST', `${subject}: k is ${k}; expected 1 to ${most}`, facts);
}

function accepted(
  hosted: HostedPartition,
  proposal: PartitionProposal,
  rules: ClusterRules,
): ProposalVerdict {
  const { topic, partition } = hosted;
  const isr = proposal.isr.map(({ nodeId }) => nodeId);
  const sets = withIsr(partition, isr, rules);
  const semiSync = semiSyncAfter(partition, sets.semiSyncMembers, proposal);
  const state = stepped(topic, partition, { ...sets, ...semiSync }, rules);
  return {
    kind: 'accepted',
    state,
    record: changed(topic.topicId, state),
    event: eventOf(hosted, state, proposal),
  };
}

/**
 * `open` adds the set and can only lower k: what was acknowledged rests on the members and the k of
 * its time. `settle` may raise it, because k of the present set have stored all of that.
 */
function semiSyncAfter(
  before: PartitionState,
  members: readonly NodeId[],
  { semiSync, semiSyncReplicas: k }: PartitionProposal,
): Pick<PartitionState, 'semiSyncMembers' | 'semiSyncReplicas'> {
  switch (semiSync) {
    case 'unspecified':
      return { semiSyncMembers: members, semiSyncReplicas: before.semiSyncReplicas };
    case 'open': {
      const isInUse = before.semiSyncMembers.length > 0;
      return {
        semiSyncMembers: union(members, before.isr),
        semiSyncReplicas: isInUse ? Math.min(before.semiSyncReplicas, k) : k,
      };
    }
    case 'settle':
      return { semiSyncMembers: before.isr, semiSyncReplicas: k };
    case 'close':
      return { semiSyncMembers: [], semiSyncReplicas: 0 };
  }
}

/** The leader restarted or failed a write: it is a replica like the others in a round (rule 6.3). */
function resigned(
  hosted: HostedPartition,
  sender: NodeId,
  proposal: PartitionProposal,
  rules: ClusterRules,
): ProposalVerdict {
  const { topic, partition } = hosted;
  const state = stepped(topic, partition, withRound(partition, 'resigned', rules), rules);
  const evidence = { leaderEpoch: state.leaderEpoch, ...Object.fromEntries(proposal.evidence) };
  const reason = proposal.reason === '' ? `broker ${sender} may not lead` : proposal.reason;
  const event = { kind: 'round-opened', subject: subjectOf(hosted), reason, evidence } as const;
  return { kind: 'accepted', state, record: opened(topic.topicId, state), event };
}

function handedOver(
  hosted: HostedPartition,
  successor: NodeId,
  rules: ClusterRules,
): ProposalVerdict {
  const { topic, partition } = hosted;
  const subject = subjectOf(hosted);
  if (partition.successor !== successor) {
    const facts = { successor, asked: partition.successor ?? 'none' };
    return refused('STALE_PARTITION_EPOCH', `${subject}: no such hand-over is asked for`, facts);
  }
  const state = stepped(topic, partition, withRound(partition, 'planned', rules), rules);
  const evidence = { leaderEpoch: state.leaderEpoch, successor };
  const reason = 'the successor has stored all that the leader has';
  const event = { kind: 'round-opened', subject, reason, evidence } as const;
  return { kind: 'accepted', state, record: opened(topic.topicId, state), event };
}

function eventOf(
  hosted: HostedPartition,
  state: PartitionState,
  proposal: PartitionProposal,
): EventDraft | undefined {
  const { partition } = hosted;
  const isSame = sameMembers(partition.isr, state.isr);
  if (isSame && proposal.semiSync === 'unspecified') return undefined;
  const evidence = {
    ...Object.fromEntries(proposal.evidence),
    before: partition.isr.join(','),
    isr: state.isr.join(','),
    elr: state.elr.join(','),
    semiSyncMembers: state.semiSyncMembers.join(','),
    k: state.semiSyncReplicas,
    leaderEpoch: state.leaderEpoch,
  };
  const kind = isSame ? 'semi-sync-changed' : 'isr-changed';
  return { kind, subject: subjectOf(hosted), reason: proposal.reason, evidence };
}
