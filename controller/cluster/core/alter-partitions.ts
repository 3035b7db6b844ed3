/**
 * The proposals that one leader sends together. Each is judged by itself; those that are accepted are
 * one change. What a running reassignment can do next follows in the same change, as a step of its own:
 * the answer names the epoch before it, so the leader proposes nothing more until it has that step
 * from its metadata, with the sets and the minimum that go with it.
 */
import type { MetadataImage } from '../../../proto/metadata/image.ts';
import type { MetadataRecord } from '../../../proto/metadata/records.ts';
import type { ErrorCode } from '../../../proto/model/errors.ts';
import type { NodeId, PartitionNumber, TopicId } from '../../../proto/model/ids.ts';
import {
  type BrokerEpoch,
  type PartitionEpoch,
  partitionEpoch,
} from '../../../proto/model/offset.ts';
import { decided, type EventDraft, type Outcome, refused } from './decision.ts';
import { registeredBroker } from './heartbeat.ts';
import { judgeProposal, type PartitionProposal, type ProposalVerdict } from './isr-change.ts';
import { reassignmentSteps } from './reassignment.ts';
import { type ClusterRules, everyClusterRule } from './rules.ts';

export interface AlterPartitions {
  readonly nodeId: NodeId;
  readonly brokerEpoch: BrokerEpoch;
  readonly partitions: readonly PartitionProposal[];
}

export interface ProposalAnswer {
  readonly topicId: TopicId;
  readonly partition: PartitionNumber;
  /** Empty: committed. */
  readonly code: ErrorCode | '';
  /** The controller's own. */
  readonly partitionEpoch: PartitionEpoch;
  readonly isr: readonly NodeId[];
  readonly semiSyncMembers: readonly NodeId[];
  readonly semiSyncReplicas: number;
}

/**
 * Decides all proposals of one message: an answer to each, in their order. Where a partition is named
 * again nothing is decided, since the image does not have the first decision yet; it is asked again.
 */
export function decideAlterPartitions(
  image: MetadataImage,
  request: AlterPartitions,
  rules: ClusterRules = everyClusterRule,
): Outcome<readonly ProposalAnswer[]> {
  const broker = registeredBroker(image, request, rules);
  if ('code' in broker) return broker;
  const records: MetadataRecord[] = [];
  const events: EventDraft[] = [];
  const answers: ProposalAnswer[] = [];
  const seen = new Set<string>();
  for (const proposal of request.partitions) {
    const key = `${proposal.topicId}/${proposal.partition}`;
    if (seen.has(key)) {
      answers.push(answerTo(image, proposal, undecided));
      continue;
    }
    seen.add(key);
    const verdict = judgeProposal(image, request.nodeId, proposal, rules);
    answers.push(answerTo(image, proposal, verdict));
    if (verdict.kind === 'refused') continue;
    records.push(verdict.record);
    if (verdict.event !== undefined) events.push(verdict.event);
    const topic = image.topics.get(proposal.topicId);
    if (topic === undefined) continue;
    const steps = reassignmentSteps(image, { topic, partition: verdict.state }, rules);
    records.push(...steps.records);
    events.push(...steps.events);
  }
  return decided(answers, records, events);
}

const undecided = refused('OUTCOME_UNKNOWN', 'the partition is named twice');

function answerTo(
  image: MetadataImage,
  { topicId, partition }: PartitionProposal,
  verdict: ProposalVerdict,
): ProposalAnswer {
  const state =
    verdict.kind === 'accepted'
      ? verdict.state
      : image.topics.get(topicId)?.partitions.get(partition);
  return {
    topicId,
    partition,
    code: verdict.kind === 'accepted' ? '' : verdict.code,
    partitionEpoch: state?.partitionEpoch ?? partitionEpoch(0),
    isr: state?.isr ?? [],
    semiSyncMembers: state?.semiSyncMembers ?? [],
    semiSyncReplicas: state?.semiSyncReplicas ?? 0,
  };
}
