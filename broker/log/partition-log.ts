/**
 * The log of one replica: what replication appends to, reads from, cuts and asks.
 *
 * `append` accepts at once and in order; the bytes are written and made durable behind it, and
 * progress is reported, coalesced per turn, to the one listener. Only `storedEnd` counts for acks and
 * for the watermark.
 *
 * The caller has validated the batches and stamped offset and epoch: they continue the log. While
 * `truncateTo`, `resetTo` or `close` is under way nothing is appended.
 */
import type { ErrorCode } from '../../proto/model/errors.ts';
import { invariant } from '../../proto/model/invariant.ts';
import { type LeaderEpoch, leaderEpoch, type Offset, offset } from '../../proto/model/offset.ts';
import { type BatchHeader, readBatchHeader } from '../../proto/wire/batch-header.ts';
import { beginEpoch, type EpochHistory, latestEpoch } from './core/epoch-history.ts';
import type { ProducerBatch, SequenceVerdict } from './core/producer-state.ts';
import { logBatch } from './log-batch.ts';
import { bytesBetween } from './log-bytes.ts';
import type { LogConfig } from './log-config.ts';
import type { ByteBudget, LogContext } from './log-context.ts';
import type { LogKey } from './log-key.ts';
import type { LogLifecycle } from './log-lifecycle.ts';
import { type LogRead, noBatches, outOfRange, type ReadRequest, readOf } from './log-reader.ts';
import type { DamageMark } from './log-record.ts';
import { retainLog } from './log-retention.ts';
import { findTimestamp, type TimestampPlace } from './log-timestamps.ts';

/** Accepted: the batches will be written. Refused: nothing was appended. */
export type AppendResult =
  | { readonly kind: 'accepted'; readonly logEndOffset: Offset }
  | {
      readonly kind: 'refused';
      readonly code: 'DISK_FULL' | 'OVERLOADED' | 'STORAGE_ERROR' | 'CLOSED';
    };

/** How far the log is: accepted, and stored as the topic's flush mode defines it. */
export interface LogProgress {
  readonly logEndOffset: Offset;
  readonly storedEnd: Offset;
}

/** A write failed: everything at or above `logEndOffset` that was accepted is gone. */
export interface LogFailure {
  readonly code: Extract<ErrorCode, 'DISK_FULL' | 'STORAGE_ERROR' | 'DAMAGED_LOG'>;
  readonly logEndOffset: Offset;
  readonly cause: unknown;
}

/** Told about the log, at the end of the turn in which something happened. */
export interface LogListener {
  onProgress(progress: LogProgress): void;
  /** The replica must not lead on in this epoch (rule 6.3). */
  onFailure(failure: LogFailure): void;
}

export class PartitionLog {
  readonly key: LogKey;
  readonly #context: LogContext;
  readonly #life: LogLifecycle;

  /** Made by the log directory only. */
  constructor(context: LogContext, life: LogLifecycle) {
    this.#context = context;
    this.#life = life;
    this.key = life.key;
  }

  get logStartOffset(): Offset {
    return this.#life.state.logStartOffset;
  }

  /** Exclusive end of what was accepted. */
  get logEndOffset(): Offset {
    return this.#life.state.logEndOffset;
  }

  /** Exclusive end of what is stored: it survives what the topic's flush mode promises. */
  get storedEnd(): Offset {
    return this.#life.writer.stored;
  }

  get highWatermark(): Offset {
    return this.#life.state.highWatermark;
  }

  get epochs(): EpochHistory {
    return this.#life.state.epochs;
  }

  /** The epoch of the last record, or of the leader that began last; undefined for a fresh log. */
  get latestEpoch(): LeaderEpoch | undefined {
    return latestEpoch(this.#life.state.epochs);
  }

  /** Undefined until one was set. Survives every crash. */
  get verifiedEpoch(): LeaderEpoch | undefined {
    const { verifiedEpoch } = this.#life.state;
    return verifiedEpoch < 0 ? undefined : leaderEpoch(verifiedEpoch);
  }

  /** Set while the log is known to have lost what had been stored: the replica is suspect. */
  get damage(): DamageMark | undefined {
    return this.#life.state.damage;
  }

  /** Bytes of all segments. */
  get bytes(): number {
    return this.#life.bytes;
  }

  /** Accepted and not yet stored bytes. */
  get unstoredBytes(): number {
    return this.#life.writer.unstoredBytes;
  }

  /** What all logs of the node have accepted and not stored: beyond the bound appends are refused. */
  get nodeBacklog(): Pick<ByteBudget, 'isHalfUsed' | 'halfFree'> {
    return this.#context.unstored;
  }

  get config(): LogConfig {
    return this.#life.config;
  }

  configure(config: LogConfig): void {
    this.#life.config = config;
  }

  listen(listener: LogListener | undefined): void {
    this.#life.listener = listener;
  }

  /**
   * What the leader does with a batch of an idempotent producer. Asked before every other refusal;
   * `undefined` while the state is being read again, which takes a moment after damage only.
   */
  checkSequence(batch: ProducerBatch): SequenceVerdict | undefined {
    return this.#life.producers()?.check(batch);
  }

  /** Takes whole batches, one per buffer, which continue the log. Synchronous; see `storedEnd`. */
  append(batches: readonly Buffer[]): AppendResult {
    const refusal = this.#refusal(batches);
    if (refusal !== undefined) return { kind: 'refused', code: refusal };
    const { state, writer, tail } = this.#life;
    const producers = this.#life.producers();
    invariant(producers !== undefined, 'a refusal came first where the state is not there');
    for (const bytes of batches) {
      const header = readBatchHeader(bytes, 0);
      invariant(
        header.kind === 'batch' && header.byteLength === bytes.length,
        'an appended buffer is one whole batch',
      );
      this.#accept(header);
      producers.apply(header);
      const batch = logBatch(bytes, header);
      tail.push(batch);
      writer.enqueue(batch);
      state.logEndOffset = offset(header.lastOffset + 1);
    }
    this.#life.changed();
    return { kind: 'accepted', logEndOffset: state.logEndOffset };
  }

  /** Whole batches from the one that holds `from`: at once from memory, or else from the files. */
  read(request: ReadRequest): LogRead | Promise<LogRead> {
    const { state, tail } = this.#life;
    const { from } = request;
    if (from < state.logStartOffset || from > state.logEndOffset) throw outOfRange(from, state);
    if (from >= request.upTo || from === state.logEndOffset) return noBatches(from);
    if (!tail.holds(from)) {
      return this.#life.readFiles(request).catch((caught: unknown) => {
        // The file went with the records, which were deleted meanwhile.
        throw from < state.logStartOffset ? outOfRange(from, state) : caught;
      });
    }
    return readOf(tail.take(from, request.maxBytes, request.upTo), from);
  }

  /** A leader begins its epoch at the log end; durable before it appends anything (rule B1.9). */
  async beginEpoch(epoch: LeaderEpoch): Promise<void> {
    const { state } = this.#life;
    state.epochs = beginEpoch(state.epochs, epoch, state.logEndOffset);
    await this.#life.saveRecord();
  }

  /** Durable once it resolves; it never falls. */
  async setVerifiedEpoch(epoch: LeaderEpoch): Promise<void> {
    const { state } = this.#life;
    if (epoch <= state.verifiedEpoch) return;
    state.verifiedEpoch = epoch;
    await this.#life.saveRecord();
  }

  /** In memory at once, on disk with the next checkpoint: after a crash it may be lower. */
  setHighWatermark(to: Offset): void {
    const { state } = this.#life;
    if (to === state.highWatermark) return;
    state.highWatermark = to;
    this.#life.changed();
  }

  /**
   * Cuts the log to `to`, or to the batch boundary below it, and trims epochs and producer state.
   * Durable when it resolves, and crash-safe at each step (rules B2.6, B2.8). Below the watermark only with
   * `keepAside`, which copies the cut bytes first.
   */
  truncateTo(to: Offset, options: { readonly keepAside: boolean }): Promise<Offset> {
    return this.#life.truncateTo(to, options);
  }

  /** Drops everything and begins anew at `start` (rule B2.11). */
  resetTo(start: Offset): Promise<void> {
    return this.#life.resetTo(start);
  }

  /** Records below `to` are gone; durable when it resolves. Not above the watermark. */
  deleteRecords(to: Offset): Promise<Offset> {
    return this.#life.deleteRecords(to);
  }

  /** Drops what the topic's retention no longer keeps, below the watermark; resolves to the log start. */
  retain(): Promise<Offset> {
    const life = this.#life;
    return life.operation(() => retainLog(life, this.#context.clock.wall()));
  }

  /** The first batch with a record at or above the timestamp; what is not written yet is waited for. */
  async findTimestamp(timestamp: number): Promise<TimestampPlace | undefined> {
    const { state, writer } = this.#life;
    await writer.reached(state.logEndOffset);
    const segments = await this.#life.segments();
    const wanted = { timestamp, from: state.logStartOffset };
    return segments.consistently(() => findTimestamp(this.#context.handles, segments, wanted));
  }

  /** Bytes of the written batches that hold these offsets; what is only accepted does not count. */
  async bytesBetween(from: Offset, to: Offset): Promise<number> {
    if (from >= to) return 0;
    const segments = await this.#life.segments();
    const range = { from, to };
    return segments.consistently(() => bytesBetween(this.#context.handles, segments, range));
  }

  /** Bytes from an offset on are bad; durable when it resolves, and until `clearDamage`. */
  async markDamage(at: Offset): Promise<void> {
    this.#life.state.damage = { at, logEndBefore: this.#life.state.logEndOffset };
    await this.#life.saveRecord();
  }

  /** Replication has refilled what was damaged: the replica is not suspect any more. */
  async clearDamage(): Promise<void> {
    this.#life.state.damage = undefined;
    await this.#life.saveRecord();
  }

  /** Everything accepted so far is flushed in place when it resolves. */
  flush(): Promise<void> {
    return this.#life.checkpoint('flushed');
  }

  /** Why an append of so many bytes would be refused at this moment; undefined: it would not. */
  refusalOf(bytes: number): Extract<AppendResult, { kind: 'refused' }>['code'] | undefined {
    if (this.#context.fatal() !== undefined) return 'STORAGE_ERROR';
    if (this.#life.isClosed) return 'CLOSED';
    if (this.#life.isCutting || this.#life.producers() === undefined) return 'OVERLOADED';
    const { space, rules } = this.#context;
    if (!this.hasRoomFor(bytes)) return 'OVERLOADED';
    return space.hasRoom(bytes) || !rules.keepsReserve ? undefined : 'DISK_FULL';
  }

  /** So many bytes more may wait to be stored. Where nothing waits, any batch may. */
  hasRoomFor(bytes: number): boolean {
    const { limits, unstored } = this.#context;
    const { unstoredBytes } = this;
    const isInBound = unstoredBytes + bytes <= limits.unstoredBytesPerLogMax;
    return (isInBound || unstoredBytes === 0) && unstored.hasRoom(bytes);
  }

  #refusal(
    batches: readonly Buffer[],
  ): Extract<AppendResult, { kind: 'refused' }>['code'] | undefined {
    let bytes = 0;
    for (const batch of batches) bytes += batch.length;
    const refusal = this.refusalOf(bytes);
    if (refusal === undefined) this.#context.space.use(bytes);
    return refusal;
  }

  #accept(header: BatchHeader): void {
    const { state } = this.#life;
    if (header.baseOffset !== state.logEndOffset) {
      const { baseOffset } = header;
      invariant(false, `a batch continues the log: ${baseOffset} at ${state.logEndOffset}`);
    }
    const epoch = leaderEpoch(header.leaderEpoch);
    state.epochs = beginEpoch(state.epochs, epoch, header.baseOffset);
  }
}
