/**
 * Certainty in stages: how far a write that was acknowledged has been stored since. The leader of the
 * receipt's epoch is asked; under another leader the records may be others, and then that is said
 * (LEADERSHIP_LOST), never guessed.
 */
import {
  type AwaitStoredResponse,
  produceService,
} from '../../proto/generated/highwater/v1/produce.ts';
import type { Acks } from '../../proto/model/acks.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import type { PartitionNumber, TopicId } from '../../proto/model/ids.ts';
import type { LeaderEpoch, Offset } from '../../proto/model/offset.ts';
import type { ClientParts } from '../client-parts.ts';
import { drawBackoff } from '../connection/backoff.ts';
import { pause, throwIfAborted } from '../connection/waiting.ts';
import { addressOf } from '../metadata/broker-rotation.ts';
import { leaderOf } from '../metadata/cluster-view.ts';

/** Everything of a partition below an offset, as written under one leader epoch. */
export interface WrittenPlace {
  readonly topicId: TopicId;
  readonly partition: PartitionNumber;
  readonly offset: Offset;
  readonly leaderEpoch: LeaderEpoch;
}

/** A level, or a number of replicas. */
export type WantedLevel = { readonly acks: Acks } | { readonly replicas: number };

/** How far it came. */
export interface StoredLevel {
  readonly isReached: boolean;
  /** Nodes that have stored it. */
  readonly storedBy: readonly number[];
  readonly isrSize: number;
}

export interface StoredLimits {
  /** 30 s by default. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

const timeoutMsDefault = 30_000;
const attemptMsMax = 5_000;
const backoff = { minMs: 20, maxMs: 500 };

/** Waits until the level is reached or the time is over, and says how far it came. */
export async function awaitStoredLevel(
  parts: ClientParts,
  place: WrittenPlace,
  wanted: WantedLevel,
  limits: StoredLimits = {},
): Promise<StoredLevel> {
  const { clock, random } = parts.machine;
  const deadlineMs = clock.now() + (limits.timeoutMs ?? timeoutMsDefault);
  let last: StoredLevel = { isReached: false, storedBy: [], isrSize: 0 };
  for (let failures = 1; ; failures++) {
    throwIfAborted(limits.signal);
    const leftMs = Math.max(1, deadlineMs - clock.now());
    try {
      const answer = await askLeader(parts, place, wanted, {
        waitMs: Math.min(leftMs, attemptMsMax),
        signal: limits.signal,
      });
      last = { isReached: answer.reached, storedBy: answer.storedBy, isrSize: answer.isrSize };
      failures = 0;
    } catch (caught) {
      const error = HighwaterError.from(caught);
      if (!error.retriable || error.code === 'LEADERSHIP_LOST') throw error;
      parts.metadata.suspect();
    }
    if (last.isReached || clock.now() >= deadlineMs) return last;
    if (failures === 0) continue;
    const waitMs = Math.min(drawBackoff(random, failures, backoff), deadlineMs - clock.now());
    await pause(clock, Math.max(0, waitMs), limits.signal);
  }
}

function askLeader(
  parts: ClientParts,
  place: WrittenPlace,
  wanted: WantedLevel,
  { waitMs, signal }: { readonly waitMs: number; readonly signal: AbortSignal | undefined },
): Promise<AwaitStoredResponse> {
  const { topicId, partition, offset, leaderEpoch } = place;
  const leader = leaderOf(parts.metadata.view, topicId, partition);
  if (leader === undefined)
    throw new HighwaterError('LEADER_NOT_AVAILABLE', 'the partition has no leader');
  return parts.channels.ask(
    addressOf(leader.broker),
    produceService.awaitStored,
    {
      topicId,
      topic: '',
      partition,
      leaderEpoch,
      endOffset: offset,
      acks: 'acks' in wanted ? wanted.acks : 'unspecified',
      replicas: 'acks' in wanted ? 0 : wanted.replicas,
      timeoutMs: Math.ceil(waitMs),
    },
    { deadlineMs: waitMs + 1_000, ...(signal === undefined ? {} : { signal }) },
  );
}
