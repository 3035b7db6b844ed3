/**
 * The trivial model of a log: a list of batches. It is told what the log accepted and what it said
 * to be stored, and after a crash checks that nothing stored is missing and nothing else has come up.
 */

import type { EpochStart } from '../../../broker/log/core/epoch-history.ts';
import type { SequenceVerdict } from '../../../broker/log/core/producer-state.ts';
import type { PartitionLog } from '../../../broker/log/partition-log.ts';
import { invariant } from '../../../proto/model/invariant.ts';
import { limits } from '../../../proto/model/limits.ts';
import { decodeBatches, type FoundRecord } from './compaction/keyed-batches.ts';

/** A check that costs nothing while it holds: walks do millions of them. */
export function hold(condition: boolean, what: () => string): void {
  if (!condition) invariant(false, what());
}

export interface ModelBatch {
  readonly bytes: Buffer;
  readonly baseOffset: number;
  /** Exclusive. */
  readonly endOffset: number;
  readonly epoch: number;
  readonly producerId: number;
  readonly baseSequence: number;
  /** Of a walk with keys; the records of other walks are opaque. */
  readonly records?: readonly FoundRecord[];
}

/** The producers of a walk. */
const walkProducers = [0, 1, 2] as const;

export class LogModel {
  /** Batches that are still in the log, and below its start those that share a segment with it. */
  batches: ModelBatch[] = [];
  logStart = 0;
  highWatermark = 0;
  /** Epochs that a leader began here, durably, with or without a batch. */
  begun: EpochStart[] = [];
  /** An epoch may outlive its lost batches, if it began where the log ends. */
  epochKept = 0;
  /** The greatest stored end that the log has shown since the last cut. */
  stored = 0;
  /** The greatest watermark that the log was told: compaction replaces records below it. */
  compactedBelow = 0;
  /** Compaction has begun: reads bring what is left, no longer the very bytes. */
  isCompacted = false;
  /** Where a cut that was under way at the crash would have ended. */
  cuttingTo: number | undefined;
  /** The log start that a deletion under way at the crash would have reached. */
  deletingTo: number | undefined;

  get end(): number {
    return this.batches.at(-1)?.endOffset ?? this.logStart;
  }

  /** No crash may leave less. */
  get leastEnd(): number {
    return Math.min(this.stored, this.cuttingTo ?? this.stored);
  }

  get epoch(): number {
    return Math.max(this.epochKept, this.batches.at(-1)?.epoch ?? 0, this.begun.at(-1)?.epoch ?? 0);
  }

  /** The boundary at or below an offset. */
  boundary(at: number): number {
    for (const batch of this.batches)
      if (batch.endOffset > at) return Math.min(batch.baseOffset, at);
    return this.end;
  }

  cutTo(end: number): void {
    this.batches = this.batches.filter((batch) => batch.endOffset <= end);
    this.begun = this.begun.filter((entry) => entry.startOffset < end);
    this.epochKept = 0;
    this.stored = Math.min(this.stored, end);
    this.highWatermark = Math.min(this.highWatermark, end);
    this.logStart = Math.min(this.logStart, end);
  }

  /** A write failed: what was accepted above its last whole batch is gone. */
  failedAt(end: number): void {
    this.batches = this.batches.filter((batch) => batch.endOffset <= end);
    this.begun = this.begun.filter((entry) => entry.startOffset <= end);
  }

  /** Epochs without a batch are left where a failure took the batches. */
  noteEpochs(log: PartitionLog): void {
    this.epochKept = log.latestEpoch ?? 0;
  }

  noteStored(log: PartitionLog): void {
    hold(log.storedEnd >= this.leastEnd, () => `${log.storedEnd} >= ${this.leastEnd}`);
    hold(log.storedEnd <= log.logEndOffset, () => `${log.storedEnd} <= ${log.logEndOffset}`);
    this.stored = log.storedEnd;
  }

  /** The bytes that a read of a range must return: from the batch that holds `from`. */
  bytesOf(from: number, end: number): Buffer {
    const wanted = this.batches.filter((b) => b.endOffset > from && b.endOffset <= end);
    return Buffer.concat(wanted.map((batch) => batch.bytes));
  }

  /**
   * What a read of a compacted log brought: no gap, nothing that was not appended, and nothing missing
   * but what a newer record of its key below the watermark replaces, or the mark of a deleted key.
   */
  checkCompacted(read: Buffer, from: number, end: number): void {
    const originals = new Map(
      this.batches.flatMap((batch) => batch.records ?? []).map((one) => [one.offset, one]),
    );
    const newest = new Map<string, number>();
    for (const { offset, key } of originals.values()) {
      if (key !== null && offset < this.compactedBelow) newest.set(key, offset);
    }
    let next = from;
    const found = new Set<number>();
    for (const batch of decodeBatches(read)) {
      hold(
        batch.baseOffset === next || (next === from && batch.baseOffset < from),
        () => `a batch at ${batch.baseOffset} follows ${next}`,
      );
      next = batch.lastOffset + 1;
      for (const record of batch.records) {
        found.add(record.offset);
        const isSame = JSON.stringify(record) === JSON.stringify(originals.get(record.offset));
        hold(isSame, () => `the record at ${record.offset} is the one that was appended`);
      }
    }
    hold(next === Math.max(end, from), () => `the read ends at ${next}, not at ${end}`);
    for (const { offset, key, value } of originals.values()) {
      if (offset < Math.max(from, this.logStart) || offset >= end || found.has(offset)) continue;
      const isReplaced = key !== null && (newest.get(key) ?? -1) > offset;
      const isMark = value === null && offset < this.compactedBelow;
      hold(isReplaced || isMark, () => `the record at ${offset} is missing`);
    }
  }

  /** A reader of the whole log ends with the same table as before compaction. */
  checkTable(read: Buffer): void {
    const tableOf = (records: readonly FoundRecord[]): string => {
      const table = new Map<string, string>();
      for (const { offset, key, value } of records) {
        if (key === null || offset < this.logStart) continue;
        if (value === null) table.delete(key);
        else table.set(key, value);
      }
      return JSON.stringify([...table].sort(([one], [other]) => (one < other ? -1 : 1)));
    };
    const found = tableOf(decodeBatches(read).flatMap((batch) => batch.records));
    const wanted = tableOf(this.batches.flatMap((batch) => batch.records ?? []));
    hold(found === wanted, () => `the table ${found} is ${wanted}`);
  }

  /** After a start: takes over what is left and checks that it may be what is left. */
  checkAfterCrash(log: PartitionLog, isStoredKept: boolean): void {
    const end = log.logEndOffset;
    // A cut that was under way has been made, or has not.
    const isWhole = end >= this.stored || end === this.cuttingTo;
    hold(isWhole || !isStoredKept, () => `S24 stored is kept: ${end} of ${this.stored}`);
    hold(end <= this.end, () => `S24 nothing else has come up: ${end} of ${this.end}`);
    hold(this.boundary(end) === end, () => `S24 whole batches: ${this.boundary(end)} is ${end}`);
    if (log.logStartOffset !== this.logStart && log.logStartOffset !== log.logEndOffset) {
      hold(
        log.logStartOffset === this.deletingTo,
        () => `S26 the start is where it was: ${log.logStartOffset} is ${this.deletingTo}`,
      );
    }
    this.batches = this.batches.filter((batch) => batch.endOffset <= log.logEndOffset);
    this.begun = this.begun.filter((entry) => entry.startOffset <= log.logEndOffset);
    this.epochKept = log.latestEpoch ?? 0;
    this.logStart = log.logStartOffset;
    this.stored = log.storedEnd;
    hold(log.storedEnd === log.logEndOffset, () => `${log.storedEnd} is ${log.logEndOffset}`);
    hold(
      log.highWatermark <= log.logEndOffset,
      () => `${log.highWatermark} <= ${log.logEndOffset}`,
    );
    this.highWatermark = log.highWatermark;
    this.cuttingTo = undefined;
    this.deletingTo = undefined;
  }

  /** Epoch history and producer state must be those of the batches that are left. */
  checkDerived(log: PartitionLog): void {
    const epochs = log.epochs.map((entry) => entry.epoch as number);
    const isRising = epochs.every((epoch, at) => at === 0 || epoch > (epochs[at - 1] ?? -1));
    hold(isRising, () => `S13 epochs rise: ${epochs.join(' ')}`);
    for (const batch of this.batches) {
      if (batch.baseOffset < this.logStart) continue;
      const entry = log.epochs.filter((known) => known.startOffset <= batch.baseOffset).at(-1);
      hold(
        entry?.epoch === batch.epoch,
        () => `S13 epoch history: ${entry?.epoch} is ${batch.epoch}`,
      );
    }
    for (const producerId of walkProducers) this.#checkProducer(log, producerId);
  }

  /** The last five batches are known, the one before is past, the one behind is next. */
  #checkProducer(log: PartitionLog, producerId: number): void {
    const own = this.batches.filter((batch) => batch.producerId === producerId);
    const verdictOf = (baseSequence: number, count: number): SequenceVerdict | undefined =>
      log.checkSequence({
        producerId,
        producerEpoch: 0,
        baseSequence,
        lastOffsetDelta: count - 1,
        baseOffset: 0,
        maxTimestamp: 1,
      });
    for (const [age, batch] of own.toReversed().entries()) {
      const verdict = verdictOf(batch.baseSequence, batch.endOffset - batch.baseOffset);
      if (verdict === undefined) return;
      const isKnown = verdict.kind === 'duplicate' && verdict.batch.baseOffset === batch.baseOffset;
      const isRemembered = age < limits.producerBatchesRemembered;
      hold(isKnown === isRemembered, () => `S13 producers: ${batch.baseOffset} is ${verdict.kind}`);
    }
    const last = own.at(-1);
    const next = last === undefined ? 0 : last.baseSequence + last.endOffset - last.baseOffset;
    const verdict = verdictOf(next, 1);
    hold(
      verdict === undefined || verdict.kind === 'append',
      () => `S13 producers: ${producerId} goes on at ${next}: ${verdict?.kind}`,
    );
  }
}
