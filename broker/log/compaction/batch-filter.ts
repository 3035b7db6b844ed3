/**
 * One pass over the batches of a log, in order: which go on as they are, which are rewritten, which
 * become empty. Neighbouring empty batches become one, unless idempotence rests on them.
 *
 * Invariants: (1) what is emitted spans exactly the offsets that were taken, in order, without a gap;
 * (2) a batch that producer state remembers keeps its own head, so a replay of the log ends in the
 * same state (rule B6.4); (3) an empty span never crosses leader epochs; (4) a batch that cannot be
 * read goes on as it is, and no mark of a deleted key above it goes in this pass, since it may hold
 * an older record of that key.
 */
import type { BatchHeader } from '../../../proto/wire/batch-header.ts';
import { attributeBits } from '../../../proto/wire/batch-layout.ts';
import { type EmptySpan, emptyBatch } from '../../../proto/wire/empty-batch.ts';
import { checkedRecords } from '../../../proto/wire/open-batch.ts';
import type { RecordSpan } from '../../../proto/wire/record-check.ts';
import { emptied, horizonOf, rewritten } from './batch-rewrite.ts';
import type { OffsetMap } from './core/offset-map.ts';
import { staysInLog } from './core/record-verdict.ts';
import { hashKey } from './key-hash.ts';
import { RawRecords } from './raw-records.ts';

/** What holds for all batches of a pass. */
export interface CompactionPass {
  readonly map: OffsetMap;
  /** The map knows the keys below this offset. */
  readonly mapEnd: number;
  readonly nowMs: number;
  readonly mayDropMarks: boolean;
  readonly deleteRetentionMs: number;
  /** Base offsets of the batches that producer state remembers. */
  readonly remembered: ReadonlySet<number>;
  /** Set once a batch was met that could not be read. */
  hasUnreadable: boolean;
}

/** A batch for the file: its bytes may be a view of what was taken. */
export interface EmittedBatch {
  readonly bytes: Buffer;
  readonly baseOffset: number;
  readonly maxTimestamp: number;
}

/** What the filter is given. */
export interface TakenBatch {
  readonly header: BatchHeader;
  readonly piece: Buffer;
}

/** Offsets that one batch can span. */
const spanMax = 2 ** 31 - 1;

export class BatchFilter {
  readonly #pass: CompactionPass;
  readonly #emit: (batch: EmittedBatch) => void;
  /** Empty batches at the end of what was taken, and the first of them as it was. */
  #run:
    | {
        readonly span: { -readonly [Field in keyof EmptySpan]: EmptySpan[Field] };
        readonly first: Buffer | undefined;
        batches: number;
      }
    | undefined;
  /** True once anything is not emitted as it was taken. */
  hasChanged = false;
  /** When the next of the marks that stay may go; -1: there is none. */
  nextHorizonMs = -1;
  /** Records that went. */
  dropped = 0;

  constructor(pass: CompactionPass, emit: (batch: EmittedBatch) => void) {
    this.#pass = pass;
    this.#emit = emit;
  }

  take(batch: TakenBatch): void {
    const { header, piece } = batch;
    if (header.recordCount === 0) {
      this.#takeEmpty(batch, bytesOf(batch));
      return;
    }
    const isControl = (header.attributes & attributeBits.control) !== 0;
    const span = isControl ? undefined : checkedRecords(piece, header);
    if (span === undefined || 'kind' in span) {
      this.#pass.hasUnreadable ||= !isControl;
      this.#send(bytesOf(batch), header);
      return;
    }
    this.#takeRecords(batch, span);
  }

  /** Emits what was held back; nothing is taken behind it. */
  finish(): void {
    this.#endRun();
  }

  #takeRecords(batch: TakenBatch, span: RecordSpan): void {
    const { header, piece } = batch;
    const { pass, horizonMs } = this.#factsOf(header);
    const verdict = judge(new RawRecords(span, header.recordCount), header, {
      map: this.#pass.map,
      facts: pass,
    });
    this.dropped += header.recordCount - verdict.count;
    if (verdict.count === 0) {
      this.hasChanged = true;
      this.#takeEmpty(batch, undefined);
      return;
    }
    const mayBegin = header.lastOffset < this.#pass.mapEnd && !this.#pass.hasUnreadable;
    const begins = verdict.hasMarks && horizonMs === undefined && mayBegin;
    const horizon = horizonMs ?? (begins ? this.#newHorizon() : undefined);
    if (verdict.hasMarks && horizon !== undefined) this.#noteHorizon(horizon);
    if (verdict.count === header.recordCount && !begins) {
      this.#send(bytesOf(batch), header);
      return;
    }
    const bytes = rewritten(piece, header, {
      records: new RawRecords(span, header.recordCount),
      stays: verdict.stays,
      horizonMs: begins ? horizon : undefined,
    });
    this.hasChanged ||= bytes !== undefined;
    this.#send(bytes ?? bytesOf(batch), header);
  }

  #factsOf(header: BatchHeader): {
    readonly pass: Parameters<typeof staysInLog>[1];
    readonly horizonMs: number | undefined;
  } {
    const { mapEnd, nowMs } = this.#pass;
    const horizonMs = horizonOf(header);
    const mayDropMarks = this.#pass.mayDropMarks && !this.#pass.hasUnreadable;
    return { pass: { mapEnd, nowMs, mayDropMarks, horizonMs }, horizonMs };
  }

  #newHorizon(): number {
    return this.#pass.nowMs + this.#pass.deleteRetentionMs;
  }

  #noteHorizon(horizonMs: number): void {
    const { nextHorizonMs } = this;
    this.nextHorizonMs = nextHorizonMs < 0 ? horizonMs : Math.min(nextHorizonMs, horizonMs);
  }

  /** `asItWas` for a batch that was empty before. */
  #takeEmpty(batch: TakenBatch, asItWas: Buffer | undefined): void {
    const { header, piece } = batch;
    if (header.producerId >= 0 && this.#pass.remembered.has(header.baseOffset)) {
      this.#send(asItWas ?? emptied(piece, header), header);
      return;
    }
    const run = this.#run;
    const fits =
      run !== undefined &&
      run.span.leaderEpoch === header.leaderEpoch &&
      header.lastOffset - run.span.baseOffset <= spanMax;
    if (fits) {
      run.batches++;
      run.span.lastOffset = header.lastOffset;
      run.span.maxTimestamp = Math.max(run.span.maxTimestamp, header.maxTimestamp);
      return;
    }
    this.#endRun();
    const { baseOffset, lastOffset, leaderEpoch, maxTimestamp } = header;
    // A head that names a producer nobody remembers is made anew without it.
    const first = header.producerId < 0 && asItWas !== undefined ? Buffer.from(asItWas) : undefined;
    const span = { baseOffset, lastOffset, leaderEpoch, maxTimestamp };
    this.#run = { span, first, batches: 1 };
  }

  #endRun(): void {
    const run = this.#run;
    if (run === undefined) return;
    this.#run = undefined;
    const isAsItWas = run.batches === 1 && run.first !== undefined;
    this.hasChanged ||= !isAsItWas;
    const bytes = isAsItWas ? run.first : emptyBatch(run.span);
    const { baseOffset, maxTimestamp } = run.span;
    this.#emit({ bytes, baseOffset, maxTimestamp });
  }

  #send(bytes: Buffer, header: BatchHeader): void {
    this.#endRun();
    this.#emit({ bytes, baseOffset: header.baseOffset, maxTimestamp: header.maxTimestamp });
  }
}

interface BatchVerdict {
  readonly stays: readonly boolean[];
  readonly count: number;
  /** Marks of deleted keys are among those that stay. */
  readonly hasMarks: boolean;
}

function judge(
  records: RawRecords,
  header: BatchHeader,
  rests: {
    readonly map: OffsetMap;
    readonly facts: Parameters<typeof staysInLog>[1];
  },
): BatchVerdict {
  const stays: boolean[] = [];
  let count = 0;
  let hasMarks = false;
  while (records.next()) {
    const key = records.key();
    const newest = key === undefined ? undefined : rests.map.get(hashKey(key));
    const offset = header.baseOffset + records.offsetDelta;
    const isKept = staysInLog({ offset, newest, isMark: records.isMark }, rests.facts);
    stays.push(isKept);
    if (!isKept) continue;
    count++;
    hasMarks ||= records.isMark;
  }
  return { stays, count, hasMarks };
}

function bytesOf({ header, piece }: TakenBatch): Buffer {
  return piece.subarray(header.at, header.at + header.byteLength);
}
