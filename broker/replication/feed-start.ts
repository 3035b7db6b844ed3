/**
 * Where a leader can begin to send to a follower that has less than the leader keeps, or nothing.
 *
 * A log may begin inside a batch, since records are deleted by offset. Batches are sent whole: who
 * begins with such a log begins with the whole batch, and is told of the start once it has it.
 */
import type { OpenReplica } from '../../proto/generated/highwater/peer/v1/replication.ts';
import type { Offset } from '../../proto/model/offset.ts';
import type { LogRead } from '../log/log-reader.ts';
import { baseOffsetOf } from './batch-ends.ts';
import type { FeedSlot } from './feed-slot.ts';
import type { ReplicaLog } from './replica-log.ts';

/** The base of the batch to begin with; undefined: the follower's own end will do. */
export function feedStart(
  log: ReplicaLog,
  { lastEpoch, logEnd }: Pick<OpenReplica, 'lastEpoch' | 'logEnd'>,
): Promise<Offset> | undefined {
  const start = log.startOffset;
  if (lastEpoch === undefined) {
    const at = logEnd > start ? logEnd : start;
    return at > 0 ? log.baseOf(at) : undefined;
  }
  const isPassed = logEnd < start || lastEpoch < (log.history[0]?.epoch ?? 0);
  return isPassed ? log.baseOf(start) : undefined;
}

/** What comes next for a slot; undefined where that is not kept any more. */
export function readNext(slot: FeedSlot, bytesMax: number): LogRead | Promise<LogRead> | undefined {
  const { log } = slot.replica;
  const read = slot.fetched();
  if (slot.next >= log.startOffset) {
    return read ?? log.lend(slot.next, { bytesMax, below: log.endOffset });
  }
  // The log begins inside the batch that is next.
  if (slot.next !== slot.base) return undefined;
  return read ?? log.lend(log.startOffset, { bytesMax, below: log.endOffset });
}

/** Retention has passed what the slot would send next. */
export function isPassed(slot: FeedSlot, read: LogRead | undefined): boolean {
  if (slot.next >= slot.replica.log.startOffset) return false;
  const first = read?.buffers[0];
  return first === undefined || baseOffsetOf(first) !== slot.next;
}
