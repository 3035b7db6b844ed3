/** From words (earliest, latest, a time, the last n) to offsets: the leader of each partition is asked. */
import type { OffsetAnswer, OffsetQuery } from '../../proto/generated/highwater/v1/fetch.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import type { PartitionNumber } from '../../proto/model/ids.ts';
import { type LeaderEpoch, type Offset, offset } from '../../proto/model/offset.ts';
import type { ClientParts } from '../client-parts.ts';
import { drawBackoff } from '../connection/backoff.ts';
import { checkedCount, checkedOffset } from '../connection/checked-input.ts';
import { orAborted, pause } from '../connection/waiting.ts';
import { addressOf } from '../metadata/broker-rotation.ts';
import { leaderOf, type TopicView } from '../metadata/cluster-view.ts';
import type { OffsetLevel } from './offset-questions.ts';

/** Where to begin. A timestamp finds the first record of that time or later. */
export type ReadStart =
  | 'earliest'
  | 'latest'
  | { readonly offset: bigint; readonly leaderEpoch?: number }
  | { readonly timestamp: number }
  | { readonly last: number };

/** Where to end: before an offset, or at what is the end when reading begins. */
export type ReadEnd = 'latest' | { readonly offset: bigint };

/** A place to read from; the epoch only where the user gave it. */
export interface StartPlace {
  readonly offset: Offset;
  readonly epoch: LeaderEpoch | undefined;
}

type Question = NonNullable<OffsetQuery['at']>;

const timeoutMs = 30_000;
const backoff = { minMs: 20, maxMs: 500 };
const earliest: Question = { kind: 'earliest', value: true };
const latest: Question = { kind: 'latest', value: true };

/** One partition of a topic, for questions about its offsets. */
export interface OffsetTarget {
  readonly parts: ClientParts;
  readonly topic: TopicView;
  readonly partition: PartitionNumber;
  readonly signal: AbortSignal;
  /** `leader` unless said. */
  readonly level?: OffsetLevel;
}

/** The offset where reading begins. */
export async function resolveStart(target: OffsetTarget, from: ReadStart): Promise<StartPlace> {
  if (from === 'earliest') return { offset: await ask(target, earliest), epoch: undefined };
  if (from === 'latest') return { offset: await ask(target, latest), epoch: undefined };
  if ('offset' in from) {
    const epoch = from.leaderEpoch;
    return {
      offset: checkedOffset(from.offset),
      epoch:
        epoch === undefined ? undefined : (checkedCount(epoch, 0, 'leaderEpoch') as LeaderEpoch),
    };
  }
  if ('timestamp' in from) {
    const at = checkedCount0(from.timestamp, 'timestamp');
    const found = await askOnce(target, { kind: 'timestamp', value: at });
    return { offset: found ?? (await ask(target, latest)), epoch: undefined };
  }
  const count = checkedCount0(from.last, 'last');
  const [first, end] = await Promise.all([ask(target, earliest), ask(target, latest)]);
  return { offset: offset(Math.max(first, end - count)), epoch: undefined };
}

/** The exclusive end; undefined: none. */
export function resolveEnd(
  target: OffsetTarget,
  to: ReadEnd | undefined,
): Promise<Offset | undefined> {
  if (to === undefined) return Promise.resolve(undefined);
  return to === 'latest' ? ask(target, latest) : Promise.resolve(checkedOffset(to.offset));
}

async function ask(target: OffsetTarget, question: Question): Promise<Offset> {
  const found = await askOnce(target, question);
  if (found === undefined) throw new HighwaterError('INTERNAL', 'an answer without a position');
  return found;
}

/** Asks the leader, whoever that is by then, until it answers; undefined: no record matches. */
async function askOnce(target: OffsetTarget, question: Question): Promise<Offset | undefined> {
  const { parts, topic, partition, signal } = target;
  const { clock, random } = parts.machine;
  const deadlineMs = clock.now() + timeoutMs;
  let last: HighwaterError | undefined;
  for (let failures = 1; clock.now() < deadlineMs; failures++) {
    try {
      return (await askLeader(target, question)).position?.offset;
    } catch (caught) {
      last = HighwaterError.from(caught);
      // A broker that does not host the partition yet, or any more, is no final answer.
      if (!last.retriable && last.code !== 'UNKNOWN_PARTITION') throw last;
      parts.metadata.suspect();
    }
    await pause(clock, drawBackoff(random, failures, backoff), signal);
  }
  throw (
    last ?? new HighwaterError('DEADLINE_EXCEEDED', `no answer from ${topic.name}/${partition}`)
  );
}

function askLeader(
  { parts, topic, partition, signal, level = 'leader' }: OffsetTarget,
  question: Question,
): Promise<OffsetAnswer> {
  const leader = leaderOf(parts.metadata.view, topic.topicId, partition);
  if (leader === undefined)
    throw new HighwaterError('LEADER_NOT_AVAILABLE', `${topic.name}/${partition} has no leader`);
  const query = { topicId: topic.topicId, topic: '', partition, at: question };
  return orAborted(parts.offsets.ask(addressOf(leader.broker), query, level), signal);
}

function checkedCount0(value: number, what: string): number {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new HighwaterError('INVALID_REQUEST', `${what} ${value}: expected a whole number from 0`);
  return value;
}
