/** From decided rounds to the records that name a leader. */
import type { HostedPartition, MetadataImage, TopicImage } from '../../../proto/metadata/image.ts';
import {
  type MetadataRecord,
  type PartitionState,
  record,
} from '../../../proto/metadata/records.ts';
import { type Decided, decided, type EventDraft } from './decision.ts';
import type { RoundVerdict } from './election-round.ts';
import { stepped, subjectOf, without } from './partition-step.ts';
import { reassignmentSteps } from './reassignment.ts';
import { judgeRound, type OpenRound, type RoundsState } from './rounds.ts';

/** A round that lasts longer than this is worth an event. */
const tellAfterMs = 1000;

type Elected = Extract<RoundVerdict, { kind: 'elected' }>;

/**
 * Judges these rounds and commits the ones that are decided, all in one change. A round that waits is
 * told once, with whom it waits for.
 */
export function decideElections(
  rounds: RoundsState,
  image: MetadataImage,
  candidates: Iterable<OpenRound>,
  nowMs: number,
): Decided<undefined> {
  const records: MetadataRecord[] = [];
  const events: EventDraft[] = [];
  let topic: TopicImage | undefined;
  for (const round of candidates) {
    if (topic?.topicId !== round.topicId) topic = image.topics.get(round.topicId);
    const judged = judgeRound(rounds, { image, topic }, round, nowMs);
    if (judged === undefined) continue;
    const { hosted, verdict } = judged;
    if (verdict.kind === 'elected') {
      const state = electedState(hosted, verdict);
      records.push(record('partitionElected', { topicId: hosted.topic.topicId, state }));
      events.push(electionEvent(hosted, round, verdict, nowMs));
      const steps = reassignmentSteps(image, { topic: hosted.topic, partition: state });
      records.push(...steps.records);
      events.push(...steps.events);
    } else if (verdict.kind === 'waiting') {
      const isOld = nowMs - round.openedMs >= tellAfterMs;
      const event = isOld ? waitingEvent(hosted, round, verdict) : undefined;
      if (event !== undefined) events.push(event);
    }
  }
  return decided(undefined, records, events);
}

/** The partition with the winner as its leader. */
export function electedState(
  { topic, partition }: HostedPartition,
  verdict: Elected,
): PartitionState {
  const { leader, isr, elr, semiSyncMembers, isUnclean } = verdict;
  return stepped(topic, partition, {
    leader,
    isr,
    elr,
    // With a leader nobody is waited for any more.
    lastKnownElr: [],
    semiSyncMembers,
    semiSyncReplicas: semiSyncMembers.length === 0 ? 0 : partition.semiSyncReplicas,
    // What an uncleanly elected leader has is what the partition has.
    suspects: isUnclean ? without(partition.suspects, [leader]) : partition.suspects,
    uncleanEpoch: isUnclean ? partition.leaderEpoch : partition.uncleanEpoch,
    roundPurpose: 'unspecified',
    successor: undefined,
  });
}

function electionEvent(
  hosted: HostedPartition,
  round: OpenRound,
  verdict: Elected,
  nowMs: number,
): EventDraft {
  const { partition } = hosted;
  return {
    kind: verdict.isUnclean ? 'unclean-election' : 'leader-elected',
    subject: subjectOf(hosted),
    reason: partition.roundPurpose,
    evidence: {
      leader: verdict.leader,
      leaderEpoch: partition.leaderEpoch,
      answers: answersText(round),
      isr: verdict.isr.join(','),
      elr: verdict.elr.join(','),
      elapsedMs: nowMs - round.openedMs,
    },
  };
}

function waitingEvent(
  hosted: HostedPartition,
  round: OpenRound,
  verdict: Extract<RoundVerdict, { kind: 'waiting' }>,
): EventDraft | undefined {
  const waitingFor = verdict.waitingFor.join(',');
  if (round.toldWaiting === waitingFor) return undefined;
  round.toldWaiting = waitingFor;
  const why = [
    ...(verdict.lacksEligible ? ['no eligible replica has answered'] : []),
    ...(verdict.lacksSemiSync ? ['too many semi-sync members are missing'] : []),
  ];
  return {
    kind: 'round-waiting',
    subject: subjectOf(hosted),
    reason: why.join(', '),
    evidence: { waitingFor, answers: answersText(round), leaderEpoch: round.leaderEpoch },
  };
}

/** Such as `1: epoch 4 end 100, 3: epoch 3 end 120 suspect`. */
function answersText(round: OpenRound): string {
  let text = '';
  for (const { nodeId, verifiedEpoch, storedEnd, isSuspect } of round.answers.values()) {
    const mark = isSuspect ? ' suspect' : '';
    text += `${text === '' ? '' : ', '}${nodeId}: epoch ${verifiedEpoch} end ${storedEnd}${mark}`;
  }
  return text;
}
