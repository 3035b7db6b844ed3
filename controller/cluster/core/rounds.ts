/**
 * The open election rounds and what has been answered in them (rule 6.5).
 *
 * That a round is open is committed; the answers are not. Brokers tell them to every controller, and tell
 * them again until the round is decided, so that a successor that lacks some is soon told: a promise
 * given once can be told again.
 * Nothing here elects by time: the grace only waits for better answers than those that suffice.
 */
import type { ImageDelta } from '../../../proto/metadata/delta.ts';
import type { HostedPartition, MetadataImage, TopicImage } from '../../../proto/metadata/image.ts';
import { minimumOf } from '../../../proto/metadata/partition-fault.ts';
import type { PartitionState } from '../../../proto/metadata/records.ts';
import type { NodeId, PartitionNumber, TopicId } from '../../../proto/model/ids.ts';
import type { BrokerEpoch, LeaderEpoch, Offset } from '../../../proto/model/offset.ts';
import {
  decideRound,
  type ElectionRound,
  everyRoundRule,
  type RoundAnswer,
  type RoundRules,
  type RoundVerdict,
} from './election-round.ts';

/** All rounds are judged this often. */
const judgeEveryMs = 1_000;

/** Lives in memory: lost with the process, rebuilt from the image and by asking again. */
export interface RoundsState {
  /** How long a decidable round waits for the replicas that can still be reached. */
  readonly graceMs: number;
  readonly rules: RoundRules;
  readonly open: Map<string, OpenRound>;
  /** When every round was judged last; brokers that came or went make all of them due. */
  judgedMs: number;
}

/** One round, from the record that opened it to the one that decides it. */
export interface OpenRound {
  readonly topicId: TopicId;
  readonly partition: PartitionNumber;
  readonly leaderEpoch: LeaderEpoch;
  /** When this controller learned of it. */
  readonly openedMs: number;
  /** The latest answer of each replica; at most one for each. */
  readonly answers: Map<NodeId, RoundAnswer>;
  /** When it was first found decidable; starts the grace. */
  decidableSinceMs: number | undefined;
  /** What was last told about its waiting, so that it is told once. */
  toldWaiting: string | undefined;
}

/** What a broker answers for one partition. */
export interface PromiseAnswer {
  readonly topicId: TopicId;
  readonly partition: PartitionNumber;
  readonly leaderEpoch: LeaderEpoch;
  readonly verifiedEpoch: LeaderEpoch;
  readonly storedEnd: Offset;
  readonly suspect: boolean;
}

export function createRounds(graceMs: number, rules: RoundRules = everyRoundRule): RoundsState {
  return { graceMs, rules, open: new Map(), judgedMs: 0 };
}

/** Follows the committed image: rounds begin and end by records alone. */
export function followRounds(rounds: RoundsState, delta: ImageDelta, nowMs: number): void {
  if (delta.brokers.length > 0) rounds.judgedMs = -Infinity;
  for (const topicId of delta.deletedTopics) {
    for (const [key, round] of rounds.open) if (round.topicId === topicId) rounds.open.delete(key);
  }
  for (const { topic, partitions } of delta.topics) {
    for (const { before, after } of partitions) {
      // Most changes have nothing to do with a round: it begins and ends with the loss of a leader.
      if (after.leader !== undefined && before?.leader !== undefined) continue;
      const key = keyOf(topic.topicId, after.partition);
      const round = rounds.open.get(key);
      if (after.leader !== undefined) rounds.open.delete(key);
      else if (round?.leaderEpoch !== after.leaderEpoch) {
        rounds.open.set(key, begin(topic.topicId, after, nowMs));
      }
    }
  }
}

/** Takes the answers of one broker; returns the rounds that they belong to. */
export function takeAnswers(
  rounds: RoundsState,
  image: Pick<MetadataImage, 'brokers'>,
  from: { readonly nodeId: NodeId; readonly brokerEpoch: BrokerEpoch },
  answers: readonly PromiseAnswer[],
): OpenRound[] {
  const { nodeId, brokerEpoch } = from;
  // An earlier incarnation may have promised, and its storage may be gone since (rule B3.9).
  if (image.brokers.get(nodeId)?.brokerEpoch !== brokerEpoch) return [];
  // A message may answer a round twice; it is judged once, or it would be decided twice.
  const touched = new Set<OpenRound>();
  for (const answer of answers) {
    const round = rounds.open.get(keyOf(answer.topicId, answer.partition));
    if (round === undefined || round.leaderEpoch !== answer.leaderEpoch) continue;
    const { verifiedEpoch, storedEnd, suspect: isSuspect } = answer;
    round.answers.set(nodeId, { nodeId, brokerEpoch, verifiedEpoch, storedEnd, isSuspect });
    touched.add(round);
  }
  return [...touched];
}

/** Whether all rounds are judged: once a second, and after a broker came or went. */
export function isTimeToJudge({ judgedMs }: RoundsState, nowMs: number): boolean {
  return nowMs - judgedMs >= judgeEveryMs;
}

/** Rounds whose grace runs; when it is time, all of them. */
export function dueRounds(rounds: RoundsState, nowMs: number): OpenRound[] {
  const all = [...rounds.open.values()];
  if (!isTimeToJudge(rounds, nowMs)) {
    return all.filter(({ decidableSinceMs }) => decidableSinceMs !== undefined);
  }
  rounds.judgedMs = nowMs;
  return all;
}

/** The image, and the round's topic in it, which is looked up once for all its rounds. */
export interface JudgedBy {
  readonly image: MetadataImage;
  readonly topic: TopicImage | undefined;
}

/** The verdict on a round by the image; undefined if the image has decided or outdated it. */
export function judgeRound(
  rounds: RoundsState,
  { image, topic }: JudgedBy,
  round: OpenRound,
  nowMs: number,
): { readonly hosted: HostedPartition; readonly verdict: RoundVerdict } | undefined {
  const partition = topic?.partitions.get(round.partition);
  if (topic === undefined || partition === undefined) return undefined;
  if (partition.leader !== undefined || partition.leaderEpoch !== round.leaderEpoch)
    return undefined;
  const hosted = { topic, partition };
  const verdict = decideRound(electionOf(rounds, image, round, hosted), nowMs, rounds.rules);
  if (verdict.kind === 'grace') round.decidableSinceMs = verdict.sinceMs;
  if (verdict.kind === 'waiting') round.decidableSinceMs = undefined;
  return { hosted, verdict };
}

/**
 * The round as the election function wants it. A fenced broker has not caught up with the metadata or is
 * gone: its answer does not count, and it is not waited for.
 */
export function electionOf(
  rounds: RoundsState,
  image: MetadataImage,
  round: OpenRound,
  { topic, partition }: HostedPartition,
): ElectionRound {
  const able: NodeId[] = [];
  const answers: RoundAnswer[] = [];
  for (const node of partition.replicas) {
    const broker = image.brokers.get(node);
    if (broker === undefined || broker.state === 'fenced') continue;
    able.push(node);
    const answer = round.answers.get(node);
    if (answer?.brokerEpoch === broker.brokerEpoch) answers.push(answer);
  }
  return {
    replicas: preference(image, partition),
    isr: partition.isr,
    elr: partition.elr,
    semiSyncMembers: partition.semiSyncMembers,
    semiSyncReplicas: partition.semiSyncReplicas,
    minInsyncReplicas: minimumOf(topic, partition),
    suspects: partition.suspects,
    answers,
    reachable: able,
    decidableSinceMs: round.decidableSinceMs,
    graceMs: rounds.graceMs,
    uncleanRecovery: topic.settings.uncleanRecovery,
  };
}

/** The successor of a planned move first, then the assigned order; who is to go comes last. */
function preference(
  image: Pick<MetadataImage, 'brokers'>,
  partition: PartitionState,
): readonly NodeId[] {
  const { successor, replicas } = partition;
  const first = successor === undefined ? [] : [successor];
  const staying: NodeId[] = [];
  const going: NodeId[] = [];
  for (const node of replicas) {
    if (node !== successor) (isGoing(image, partition, node) ? going : staying).push(node);
  }
  return successor === undefined && going.length === 0
    ? replicas
    : [...first, ...staying, ...going];
}

function isGoing(
  image: Pick<MetadataImage, 'brokers'>,
  { removing }: PartitionState,
  node: NodeId,
): boolean {
  const broker = image.brokers.get(node);
  return broker?.state !== 'active' || broker.intent !== 'serve' || removing.includes(node);
}

function begin(topicId: TopicId, state: PartitionState, nowMs: number): OpenRound {
  return {
    topicId,
    partition: state.partition,
    leaderEpoch: state.leaderEpoch,
    openedMs: nowMs,
    answers: new Map(),
    decidableSinceMs: undefined,
    toldWaiting: undefined,
  };
}

/** The round of a partition, if one is open. */
export function roundOf(
  rounds: RoundsState,
  topicId: TopicId,
  partition: PartitionNumber,
): OpenRound | undefined {
  return rounds.open.get(keyOf(topicId, partition));
}

function keyOf(topicId: TopicId, partition: PartitionNumber): string {
  return `${topicId}/${partition}`;
}
