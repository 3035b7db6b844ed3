/**
 * What one log knows about itself, apart from its bytes. Owned by its `PartitionLog`.
 *
 * Invariants: logStartOffset <= highWatermark <= logEndOffset, except that a log whose end was lost
 * in a crash has its watermark lowered to what is left; the recovery point is never above the log end.
 */
import type { FlushMode } from '../../proto/model/acks.ts';
import type { Offset } from '../../proto/model/offset.ts';
import type { EpochHistory } from './core/epoch-history.ts';
import type { ProducerState } from './core/producer-state.ts';
import type { DamageMark, LogPlace, LogRecord } from './log-record.ts';

export class LogState {
  /** First retained offset. Rises; survives a crash. */
  logStartOffset: Offset;
  /** Set by replication; a lower bound survives a crash. */
  highWatermark: Offset;
  /** Exclusive end of what was accepted. What is not stored may be lost in a crash. */
  logEndOffset: Offset;
  /** Everything below is flushed in place. Survives a crash, as of the last checkpoint. */
  recoveryPoint: LogPlace;
  epochs: EpochHistory;
  /** Set by replication, durable before it counts; -1 if none. */
  verifiedEpoch: number;
  damage: DamageMark | undefined;
  /** Undefined while the log is idle: then the stored snapshot covers all of the log. */
  producers: ProducerState | undefined;
  journalFrom: number;
  bytes: number;
  oldestTimestamp: number;

  constructor(record: LogRecord) {
    this.logStartOffset = record.logStartOffset;
    this.highWatermark = record.highWatermark;
    this.logEndOffset = record.recoveryPoint.offset;
    this.recoveryPoint = record.recoveryPoint;
    // An epoch may have begun behind bytes that the crash took, when nothing was marked yet.
    const end = record.recoveryPoint.offset;
    this.epochs = record.epochs.filter((entry) => entry.startOffset <= end);
    this.verifiedEpoch = record.verifiedEpoch;
    this.damage = record.damage;
    this.journalFrom = record.journalFrom;
    this.bytes = record.bytes;
    this.oldestTimestamp = record.oldestTimestamp;
  }

  /** The checkpoint as of now. */
  record(flushMode: FlushMode, isTruncating: boolean): LogRecord {
    return {
      flushMode,
      logStartOffset: this.logStartOffset,
      highWatermark: this.highWatermark,
      recoveryPoint: this.recoveryPoint,
      isTruncating,
      bytes: this.bytes,
      oldestTimestamp: this.oldestTimestamp,
      journalFrom: this.journalFrom,
      verifiedEpoch: this.verifiedEpoch,
      epochs: this.epochs,
      damage: this.damage,
    };
  }
}
