import { ProducerState } from '../../../broker/log/core/producer-state.ts';
import { type ErrorCode, HighwaterError } from '../../../proto/model/errors.ts';
import type { NodeId } from '../../../proto/model/ids.ts';
import { type LeaderEpoch, leaderEpoch, type Offset, offset } from '../../../proto/model/offset.ts';
import { type BatchHeader, crcMatches, readBatchHeader } from '../../../proto/wire/batch-header.ts';
import { stampBatch } from '../../../proto/wire/batch-stamp.ts';
import { openBatch } from '../../../proto/wire/open-batch.ts';
import { RecordCursor } from '../../../proto/wire/record-cursor.ts';

/** A stored batch: stamped bytes and their head. */
export interface StoredBatch {
  readonly bytes: Buffer;
  readonly header: BatchHeader;
}

const settings = { expiryMs: Number.MAX_SAFE_INTEGER / 4, producersMax: 10_000 };

/** The one log of a partition that all its replicas share at once, and who leads it. */
export class FakePartition {
  leader: NodeId | undefined;
  epoch: LeaderEpoch = leaderEpoch(1);
  batches: StoredBatch[] = [];
  /** What the next writes are refused with, in order. */
  readonly refusals: ErrorCode[] = [];
  /** While set, writes are stored and not acknowledged. */
  isAckHeld = false;
  /** Replicas that have stored everything. */
  replicasStored = 3;
  readonly heldAcks: (() => void)[] = [];
  readonly epochStarts: { readonly epoch: LeaderEpoch; readonly start: Offset }[] = [];
  readonly watchers = new Set<() => void>();
  #producers = new ProducerState(settings);

  get end(): Offset {
    const last = this.batches.at(-1);
    return last === undefined ? offset(0) : offset(last.header.lastOffset + 1);
  }

  /** Appends a batch or recognises it; throws what a leader answers. */
  append(bytes: Buffer, expectedOffset?: Offset): { base: Offset; last: Offset; again: boolean } {
    const header = readBatchHeader(bytes, 0);
    if (header.kind !== 'batch' || !crcMatches(bytes, header))
      throw new HighwaterError('CORRUPT_BATCH', 'not a whole batch');
    const verdict = this.#producers.check(header);
    if (verdict.kind === 'duplicate') {
      const { baseOffset, lastOffset } = verdict.batch;
      return { base: offset(baseOffset), last: offset(lastOffset), again: true };
    }
    if (verdict.kind === 'refuse') throw new HighwaterError(verdict.code, 'the sequence');
    if (expectedOffset !== undefined && expectedOffset !== this.end)
      throw new HighwaterError('OFFSET_MISMATCH', `the log ends at ${this.end}`);
    const base = this.end;
    const stored = Buffer.from(bytes);
    stampBatch(stored, 0, { baseOffset: base, leaderEpoch: this.epoch });
    const stamped = readBatchHeader(stored, 0);
    if (stamped.kind !== 'batch') throw new Error('a stamped batch is a batch');
    this.#producers.apply(stamped);
    this.batches.push({ bytes: stored, header: stamped });
    if (this.epochStarts.at(-1)?.epoch !== this.epoch)
      this.epochStarts.push({ epoch: this.epoch, start: base });
    for (const watcher of this.watchers) watcher();
    return { base, last: stamped.lastOffset, again: false };
  }

  /** Another leader; `lose` drops that many of the last batches. */
  elect(leader: NodeId | undefined, lose = 0): void {
    this.leader = leader;
    this.epoch = leaderEpoch(this.epoch + 1);
    if (lose === 0) return;
    this.batches = this.batches.slice(0, Math.max(0, this.batches.length - lose));
    this.#producers = new ProducerState(settings);
    for (const { header } of this.batches) this.#producers.apply(header);
  }

  /** Where the history of an epoch ended below an offset, if it did. */
  divergedAt(at: Offset, epoch: LeaderEpoch): Offset | undefined {
    if (epoch >= this.epoch) return undefined;
    const next = this.epochStarts.find((one) => one.epoch > epoch && one.start <= this.end);
    const end = next?.start ?? this.end;
    return end < at ? end : undefined;
  }

  releaseAcks(): void {
    this.isAckHeld = false;
    for (const release of this.heldAcks.splice(0)) release();
  }

  /** Values of all records, in order. */
  values(): string[] {
    return this.batches.flatMap(({ bytes, header }) => valuesOf(bytes, header));
  }
}

function valuesOf(bytes: Buffer, header: BatchHeader): string[] {
  const opened = openBatch(bytes, header);
  if (!(opened instanceof RecordCursor)) throw new Error('stored batches can be read');
  const values: string[] = [];
  while (opened.next()) values.push(opened.value()?.toString() ?? '');
  return values;
}
