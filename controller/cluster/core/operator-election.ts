/**
 * An election that an operator asks for: a planned move while all is well, a preview of what each
 * candidate would lose, or an unclean election, which says what it cost and keeps the bytes cut off.
 */
import { mayBePlannedLeader } from '../../../proto/metadata/eligibility.ts';
import type { HostedPartition, MetadataImage } from '../../../proto/metadata/image.ts';
import { record } from '../../../proto/metadata/records.ts';
import type { NodeId, PartitionNumber } from '../../../proto/model/ids.ts';
import { decided, type Outcome, refused } from './decision.ts';
import type { RoundAnswer } from './election-round.ts';
import { electedState } from './elections.ts';
import { findPartition } from './lookup.ts';
import { askHandOver } from './moves.ts';
import { subjectOf } from './partition-step.ts';
import { electionOf, type OpenRound, type RoundsState, roundOf } from './rounds.ts';

export interface ElectLeader {
  readonly topic: string;
  readonly partition: PartitionNumber;
  /** The wanted leader; the preferred one if absent. */
  readonly leader?: NodeId | undefined;
  /** Accept the loss that a dry run printed. */
  readonly unclean: boolean;
  readonly dryRun: boolean;
}

/** What would be missing if this replica led. */
export interface LossPreview {
  readonly nodeId: NodeId;
  readonly verifiedEpoch: number;
  readonly storedEnd: number;
  /** Compared with the greatest answer; what nobody who answered has cannot be counted. */
  readonly recordsLostAtLeast: number;
  readonly suspect: boolean;
  readonly why: string;
}

/** Decides an operator's election. */
export function decideElectLeader(
  image: MetadataImage,
  rounds: RoundsState,
  request: ElectLeader,
): Outcome<readonly LossPreview[]> {
  const hosted = findPartition(image, request.topic, request.partition);
  if ('code' in hosted) return hosted;
  const { topic, partition } = hosted;
  if (partition.leader !== undefined) return planned(image, hosted, request);
  const round = roundOf(rounds, topic.topicId, partition.partition);
  const answers = round === undefined ? [] : electionOf(rounds, image, round, hosted).answers;
  const preview = previewOf(hosted, answers);
  if (request.dryRun) return decided(preview);
  const subject = subjectOf(hosted);
  if (!request.unclean || round === undefined) {
    return refused(
      'LEADER_NOT_AVAILABLE',
      `${subject} waits for its replicas; see what each has with a dry run`,
      { answered: answers.map(({ nodeId }) => nodeId).join(','), isr: partition.isr.join(',') },
    );
  }
  return unclean(hosted, round, answers, request.leader ?? greatest(answers)?.nodeId, preview);
}

function planned(
  image: MetadataImage,
  hosted: HostedPartition,
  request: ElectLeader,
): Outcome<readonly LossPreview[]> {
  const { partition } = hosted;
  const wanted = request.leader ?? partition.replicas[0];
  if (wanted === undefined || wanted === partition.leader || request.dryRun) return decided([]);
  const isPossible = partition.isr.includes(wanted) && mayBePlannedLeader(image, partition, wanted);
  if (!isPossible) {
    const facts = { nodeId: wanted, isr: partition.isr.join(',') };
    return refused(
      'INELIGIBLE_REPLICA',
      `${subjectOf(hosted)}: broker ${wanted} is not in sync, or is to serve no longer`,
      facts,
    );
  }
  if (partition.successor === wanted) return decided([]);
  const { record: asked, event } = askHandOver(hosted, wanted, 'asked for by an operator');
  return decided([], [asked], [event]);
}

function unclean(
  hosted: HostedPartition,
  round: OpenRound,
  answers: readonly RoundAnswer[],
  ...[wanted, preview]: [NodeId | undefined, readonly LossPreview[]]
): Outcome<readonly LossPreview[]> {
  const { topic, partition } = hosted;
  const subject = subjectOf(hosted);
  const answer = answers.find(({ nodeId }) => nodeId === wanted);
  if (answer === undefined) {
    const answered = answers.map(({ nodeId }) => nodeId).join(',');
    return refused(
      'INELIGIBLE_REPLICA',
      `${subject}: broker ${wanted ?? 'none'} has not answered; these have: ${answered || 'none'}`,
      { answered },
    );
  }
  const { nodeId: leader, brokerEpoch } = answer;
  const state = electedState(hosted, {
    kind: 'elected',
    leader,
    brokerEpoch,
    isr: [leader],
    elr: [],
    semiSyncMembers: [],
    isUnclean: true,
  });
  const lost = preview.find(({ nodeId }) => nodeId === leader)?.recordsLostAtLeast ?? 0;
  const evidence = {
    leader,
    leaderEpoch: round.leaderEpoch,
    recordsLostAtLeast: lost,
    storedEnd: answer.storedEnd,
    isr: partition.isr.join(','),
    elr: partition.elr.join(','),
    lastKnownElr: partition.lastKnownElr.join(','),
  };
  const event = {
    kind: 'unclean-election',
    subject,
    reason: 'an operator accepted the loss',
    evidence,
  } as const;
  return decided(preview, [record('partitionElected', { topicId: topic.topicId, state })], [event]);
}

function previewOf(hosted: HostedPartition, answers: readonly RoundAnswer[]): LossPreview[] {
  const { partition } = hosted;
  const best = greatest(answers);
  return answers.map(({ nodeId, verifiedEpoch, storedEnd, isSuspect }) => {
    const suspect = isSuspect || partition.suspects.includes(nodeId);
    const isMember = partition.isr.includes(nodeId) || partition.elr.includes(nodeId);
    const why = suspect
      ? 'its storage may lack what it had'
      : isMember
        ? 'has everything acknowledged at all'
        : 'was not in sync';
    const recordsLostAtLeast = Math.max(0, (best?.storedEnd ?? 0) - storedEnd);
    return { nodeId, verifiedEpoch, storedEnd, recordsLostAtLeast, suspect, why };
  });
}

function greatest(answers: readonly RoundAnswer[]): RoundAnswer | undefined {
  return answers.reduce<RoundAnswer | undefined>((best, answer) => {
    if (best === undefined) return answer;
    const byEpoch = answer.verifiedEpoch - best.verifiedEpoch;
    return byEpoch > 0 || (byEpoch === 0 && answer.storedEnd > best.storedEnd) ? answer : best;
  }, undefined);
}
