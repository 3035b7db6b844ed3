/** A partition of the internal topic as its coordinator uses it: read whole, then append at `all`. */
import type { ErrorCode } from '../../proto/model/errors.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import { invariant } from '../../proto/model/invariant.ts';
import type { LeaderEpoch } from '../../proto/model/offset.ts';
import type { Clock } from '../../proto/ports/clock.ts';
import { readBatchHeader } from '../../proto/wire/batch-header.ts';
import { nextBatch } from '../../proto/wire/batch-scan.ts';
import { openBatch } from '../../proto/wire/open-batch.ts';
import type { RecordCursor } from '../../proto/wire/record-cursor.ts';
import { endOffsetOf } from '../replication/batch-ends.ts';
import type { PartitionDriver } from '../replication/partition-driver.ts';

export interface GroupLog {
  /** Appends a batch; calls back once every member of the in-sync set has stored it, or why not. */
  append(batch: Buffer, done: (failure: ErrorCode | undefined) => void): void;
  /**
   * Calls back for every record, in order. It ends only when all that was in the log at the beginning
   * is committed, since what a leader has will not be taken from it while it leads.
   */
  load(onRecord: (record: RecordCursor) => void): Promise<void>;
  /** False once the leadership that this log stands for is over. */
  readonly isLed: boolean;
}

const appendMsMax = 10_000;
const readBytes = 1024 * 1024;

/** The log of a replica for as long as it leads in this epoch. */
export function replicaGroupLog(
  replica: PartitionDriver,
  epoch: LeaderEpoch,
  clock: Clock,
): GroupLog {
  const isLed = (): boolean => {
    const { role } = replica.state;
    return role.kind === 'leader' && role.epoch === epoch;
  };
  return {
    get isLed() {
      return isLed();
    },
    append(batch, done) {
      if (!isLed()) {
        done('NOT_LEADER');
        return;
      }
      const header = readBatchHeader(batch, 0);
      invariant(header.kind === 'batch', 'a sealed batch has a header');
      const deadlineMs = clock.now() + appendMsMax;
      replica.produce(
        batch,
        header,
        { acks: 'all', deadlineMs, expectedOffset: undefined },
        (result) => done(result.kind === 'failed' ? result.code : undefined),
      );
    },
    async load(onRecord) {
      const end = replica.log.endOffset;
      while (isLed() && replica.watermark < end)
        await new Promise<void>((resolve) => void replica.onceMoved(resolve));
      for (let at = replica.log.startOffset; isLed() && at < end; ) {
        const buffers = await replica.log.read(at, { bytesMax: readBytes, below: end });
        if (buffers.length === 0) break;
        for (const buffer of buffers) readRecords(buffer, onRecord);
        at = endOffsetOf(buffers);
      }
      if (!isLed()) throw new HighwaterError('NOT_COORDINATOR', 'the leadership ended meanwhile');
    },
  };
}

function readRecords(buffer: Buffer, onRecord: (record: RecordCursor) => void): void {
  for (let at = 0; ; ) {
    const batch = nextBatch(buffer, at);
    if (batch.kind !== 'batch') return;
    const cursor = openBatch(buffer, batch);
    if ('kind' in cursor)
      throw new HighwaterError('DAMAGED_LOG', `a batch of the group log: ${cursor.reason}`);
    while (cursor.next()) onRecord(cursor);
    at += batch.byteLength;
  }
}
