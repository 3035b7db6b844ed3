/** Where a reader stands in one partition, and which broker it asks. */
import type { PartitionBatches, PartitionRead } from '../../proto/generated/highwater/v1/fetch.ts';
import type { NodeId, PartitionNumber } from '../../proto/model/ids.ts';
import type { LeaderEpoch, Offset } from '../../proto/model/offset.ts';
import type { TopicView } from '../metadata/cluster-view.ts';
import type { Session } from '../session/session.ts';
import type { FetchConnection } from './fetch-connection.ts';

export interface PartitionCursor {
  readonly topic: TopicView;
  readonly partition: PartitionNumber;
  /** Exclusive end of a bounded read. */
  readonly to: Offset | undefined;
  /** The next offset to be received; behind what is queued. */
  next: Offset;
  /** Epoch of the record before it, where one was received. */
  epoch: LeaderEpoch | undefined;
  /** Names the last start; answers to earlier ones are passed over. */
  tag?: number;
  /** Who is asked at present. */
  connection: FetchConnection | undefined;
  /** Something came since the last start there. */
  isHeard: boolean;
  startedMs: number;
  /** Failures in a row. */
  failures: number;
  /** Since when, for those that are bearable only for a while. */
  failingSinceMs: number | undefined;
  /** Brokers that failed, and until when they are passed over. */
  readonly avoided: Map<NodeId, number>;
  /** Draws the replica among several. */
  readonly drawn: number;
  isCaughtUp: boolean;
  isDone: boolean;
}

/** A replica that has told nothing by then lags behind the session: the leader does not. */
const laggingMs = 1_000;

/** What was received is whole: the cursor goes on behind it. */
export function received(cursor: PartitionCursor, part: PartitionBatches, bytes: number): void {
  cursor.isHeard = true;
  cursor.failures = 0;
  cursor.failingSinceMs = undefined;
  if (bytes > 0) {
    cursor.next = part.nextOffset;
    cursor.epoch = part.nextEpoch;
  }
  if (cursor.to !== undefined && cursor.next >= cursor.to) cursor.isDone = true;
}

/** True if the broker that is asked might have sent something and has not. */
export function isLagging(cursor: PartitionCursor, nowMs: number): boolean {
  const { connection, isDone, isHeard, startedMs } = cursor;
  const mightSend = connection !== undefined && connection.credit > 0;
  return mightSend && !isDone && !isHeard && nowMs - startedMs >= laggingMs;
}

/** The request that begins, or goes on, where the cursor stands. */
export function readOf(cursor: PartitionCursor, session: Session): PartitionRead {
  const { topic, partition, next, epoch, to, tag } = cursor;
  return {
    topicId: topic.topicId,
    topic: '',
    partition,
    offset: next,
    offsetEpoch: epoch,
    token: session.positionOf(topic.topicId, partition),
    endOffset: to,
    maxBytes: 0,
    tag,
  };
}
