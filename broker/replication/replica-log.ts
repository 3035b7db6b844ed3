/**
 * The log as a replica uses it: the storage's words in the core's words.
 *
 * Progress that was made before a cut says nothing after it, so none is told while a cut is under way.
 */
import { HighwaterError } from '../../proto/model/errors.ts';
import { invariant } from '../../proto/model/invariant.ts';
import { type LeaderEpoch, leaderEpoch, type Offset, offset } from '../../proto/model/offset.ts';
import type { BatchHeader } from '../../proto/wire/batch-header.ts';
import type { EpochHistory } from '../log/core/epoch-history.ts';
import type { LogConfig } from '../log/log-config.ts';
import type { LogRead } from '../log/log-reader.ts';
import type { LogFailure, PartitionLog } from '../log/partition-log.ts';
import { baseOffsetOf } from './batch-ends.ts';
import type { ProducerVerdict } from './core/inputs.ts';

/** A range of offsets to read, and at most how many bytes of it. */
export interface ReadRange {
  /** At least one batch is returned even if it is larger. */
  readonly bytesMax: number;
  /** No batch that begins at or above this is returned. */
  readonly below: Offset;
}

export interface ReplicaLogListener {
  stored(end: Offset, cuts: number): void;
  failed(failure: LogFailure): void;
}

/** Unstored bytes above which the sender is asked to wait. */
const backlogBytes = 16 * 1024 * 1024;

export class ReplicaLog {
  readonly #log: PartitionLog;
  #cuts = 0;
  #isCutting = false;
  #waiting: (() => void)[] = [];
  #listener: ReplicaLogListener | undefined;

  constructor(log: PartitionLog) {
    this.#log = log;
  }

  /** Begins to tell one listener what becomes of the log. */
  listen(listener: ReplicaLogListener): void {
    this.#listener = listener;
    this.#log.listen({
      onProgress: ({ storedEnd }) => {
        if (!this.#isCutting) listener.stored(storedEnd, this.#cuts);
        this.#release();
      },
      onFailure: (failure) => {
        listener.failed(failure);
        this.#release();
      },
    });
  }

  get startOffset(): Offset {
    return this.#log.logStartOffset;
  }

  /** The end of what was accepted. */
  get endOffset(): Offset {
    return this.#log.logEndOffset;
  }

  get storedEnd(): Offset {
    return this.#log.storedEnd;
  }

  get highWatermark(): Offset {
    return this.#log.highWatermark;
  }

  get verifiedEpoch(): LeaderEpoch {
    return this.#log.verifiedEpoch ?? leaderEpoch(0);
  }

  get isDamaged(): boolean {
    return this.#log.damage !== undefined;
  }

  /** The epochs that have records, as the core counts them. */
  get history(): EpochHistory {
    return this.#log.epochs;
  }

  /**
   * The sender should wait: what was accepted here, or by all logs of this node, is not written yet. What
   * comes from a leader cannot be refused later without the replica falling out.
   */
  get isBacklogged(): boolean {
    return this.#isBehind || this.#log.nodeBacklog.isHalfUsed;
  }

  /** Resolves when writing has caught up, or has failed. */
  async drained(): Promise<void> {
    if (this.#isBehind) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    await this.#log.nodeBacklog.halfFree();
  }

  get #isBehind(): boolean {
    return this.#log.unstoredBytes > backlogBytes;
  }

  /** The topic's settings have changed. */
  configure(config: LogConfig): void {
    this.#log.configure(config);
  }

  /** Why a batch of this size cannot be taken now; definite, since nothing is appended. */
  refusalOf(bytes: number): 'DISK_FULL' | 'OVERLOADED' | 'STORAGE_ERROR' | 'CLOSED' | undefined {
    return this.#log.refusalOf(bytes);
  }

  /** What a leader has sent can be taken; otherwise it is asked for again, once more is stored. */
  hasRoomFor(bytes: number): boolean {
    return this.#log.hasRoomFor(bytes);
  }

  /** What idempotence says of a batch, after every earlier append. */
  judgeProducer(header: BatchHeader): ProducerVerdict | undefined {
    if (header.producerId < 0) return fresh;
    const verdict = this.#log.checkSequence(header);
    switch (verdict?.kind) {
      case undefined:
        return undefined;
      case 'append':
        return fresh;
      case 'duplicate': {
        const { baseOffset, lastOffset } = verdict.batch;
        return {
          kind: 'duplicate',
          baseOffset: baseOffset as Offset,
          endOffset: (lastOffset + 1) as Offset,
        };
      }
      case 'refuse':
        return { kind: 'refused', code: verdict.code };
    }
  }

  /** Takes whole batches that continue the log, one a buffer. They were checked and there is room. */
  append(batches: readonly Buffer[]): void {
    const result = this.#log.append(batches);
    if (result.kind === 'accepted') return;
    const cause = new HighwaterError(result.code, 'an append that had been promised was refused');
    const code = result.code === 'DISK_FULL' ? 'DISK_FULL' : 'STORAGE_ERROR';
    this.#listener?.failed({ code, logEndOffset: this.endOffset, cause });
  }

  /** Durable before anything that is appended under it is (rule B1.9). */
  beginEpoch(epoch: LeaderEpoch): Promise<void> {
    return this.#log.beginEpoch(epoch);
  }

  /** Batches from the one that holds `from`: at once from memory, else from the files, checked. */
  read(from: Offset, range: ReadRange): readonly Buffer[] | Promise<readonly Buffer[]> {
    const found = this.lend(from, range);
    return found instanceof Promise ? found.then((read) => read.buffers) : found.buffers;
  }

  /** The same for a reader that can tell when nothing refers to the batches any more. */
  lend(from: Offset, { bytesMax, below }: ReadRange): LogRead | Promise<LogRead> {
    try {
      return this.#log.read({ from, maxBytes: bytesMax, upTo: below });
    } catch (error) {
      // Retention may pass a reader between its decision and its read.
      return Promise.reject(HighwaterError.from(error));
    }
  }

  /** The base of the batch that holds an offset, which may lie below the start of the log. */
  async baseOf(at: Offset): Promise<Offset> {
    if (at >= this.endOffset) return at;
    const read = await this.lend(at, { bytesMax: 1, below: this.endOffset });
    const base = read.buffers[0] === undefined ? at : baseOffsetOf(read.buffers[0]);
    read.giveBack();
    return base < at ? base : at;
  }

  /** Bytes of the written batches that hold these offsets. */
  bytesBetween(from: Offset, to: Offset): Promise<number> {
    return this.#log.bytesBetween(from, to);
  }

  /**
   * Where reading from a timestamp begins: the batch that holds the first record of it or later, if
   * that lies below an offset. Records are not decoded here; readers skip what is older inside it.
   */
  async firstAt(
    timestamp: number,
    below: Offset,
  ): Promise<{ readonly offset: Offset; readonly timestamp: number } | undefined> {
    const found = await this.#log.findTimestamp(timestamp);
    if (found === undefined || found.baseOffset >= below) return undefined;
    return {
      offset: offset(Math.max(found.baseOffset, this.startOffset)),
      timestamp: found.maxTimestamp,
    };
  }

  truncate(to: Offset, isKeptAside: boolean): Promise<void> {
    return this.#cut(async () => {
      const isWhole = to === this.startOffset;
      const end = await this.#log.truncateTo(to, { keepAside: isKeptAside });
      // The start may lie inside a batch; then nothing of that batch is wanted.
      if (end < to && isWhole) return this.#log.resetTo(to);
      invariant(end === to, `a cut falls between batches: asked for ${to}, got ${end}`);
    });
  }

  reset(to: Offset): Promise<void> {
    return this.#cut(() => this.#log.resetTo(to));
  }

  persistVerifiedEpoch(epoch: LeaderEpoch): Promise<void> {
    return this.#log.setVerifiedEpoch(epoch);
  }

  /** Remembered lazily: a crash may lose it. */
  checkpointWatermark(to: Offset): void {
    this.#log.setHighWatermark(to);
  }

  /** Records below are gone when it resolves; to the new start. Not above the watermark. */
  deleteRecords(to: Offset): Promise<Offset> {
    return this.#log.deleteRecords(to);
  }

  /** Applies the topic's retention; resolves to the log start. */
  retain(): Promise<Offset> {
    return this.#log.retain();
  }

  /** Bytes from an offset on are bad; durable when it resolves. */
  markDamage(at: Offset): Promise<void> {
    return this.#log.markDamage(at);
  }

  /** Replication has refilled what was damaged. */
  clearDamage(): Promise<void> {
    return this.#log.clearDamage();
  }

  async #cut(cut: () => Promise<void>): Promise<void> {
    this.#cuts++;
    this.#isCutting = true;
    await cut();
    this.#isCutting = false;
  }

  #release(): void {
    if (this.#waiting.length === 0 || this.#isBehind) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

const fresh: ProducerVerdict = { kind: 'fresh' };
