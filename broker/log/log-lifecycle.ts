/**
 * One log between idle and busy. An idle log is its record alone: no handle, no index, no timer. The
 * first append or read loads what it needs; the directory's checkpoints let go of it again.
 *
 * The active mark says that the files may hold more than the record. It is durable before anything
 * above the record counts as stored, so that a start need not look at logs that do not have it.
 *
 * Long operations (checkpoint, truncation, deletion) run one at a time.
 */
import type { Offset } from '../../proto/model/offset.ts';
import { ProducerState } from './core/producer-state.ts';
import { type LogIdentity, loadSegments, wasRemoved } from './load-segments.ts';
import { type CheckpointWish, checkpointLog } from './log-checkpoint.ts';
import type { LogConfig } from './log-config.ts';
import type { LogContext } from './log-context.ts';
import { cutLog, deleteBelow, restartAt } from './log-cut.ts';
import { failLog } from './log-failure.ts';
import type { LogKey } from './log-key.ts';
import { type LogRead, LogReader, type ReadRequest } from './log-reader.ts';
import type { LogPlace } from './log-record.ts';
import type { RetentionHint } from './log-retention.ts';
import type { LogState } from './log-state.ts';
import { LogChanges } from './log-store.ts';
import { LogWriter } from './log-writer.ts';
import type { LogListener } from './partition-log.ts';
import { producerSettings, replayProducers } from './producer-replay.ts';
import type { SegmentSet } from './segment-set.ts';
import { LogTail } from './tail-cache.ts';
import { writerHost } from './writer-host.ts';

export class LogLifecycle {
  readonly key: LogKey;
  readonly folder: string;
  readonly context: LogContext;
  readonly state: LogState;
  readonly writer: LogWriter;
  readonly tail: LogTail;
  config: LogConfig;
  listener: LogListener | undefined;
  isClosed = false;
  /** True once the log is being deleted or set aside. */
  isAbandoned = false;
  /** True while the end of the log is being cut: nothing is appended. */
  isCutting = false;
  /** How often the end was cut: the same offsets may hold other records since. */
  cuts = 0;
  /** Called when the log stops being idle, so that the directory checkpoints it. */
  readonly #onBusy: (life: LogLifecycle) => void;
  #isNotifyDue = false;
  #hasChanged = false;
  /** Resolves once the active mark is durable; undefined while the log is not marked. */
  #marked: Promise<void> | undefined;
  #loading: Promise<SegmentSet> | undefined;
  #segments: SegmentSet | undefined;
  #reader: LogReader | undefined;
  #isReplaying = false;
  /** What a pass of compaction left behind in an earlier process has been finished or removed. */
  #isTidy = false;
  #operations: Promise<unknown> = Promise.resolve();

  constructor(
    context: LogContext,
    identity: LogIdentity,
    start: { readonly state: LogState; readonly config: LogConfig },
    onBusy: (life: LogLifecycle) => void,
  ) {
    this.context = context;
    this.key = identity.key;
    this.folder = identity.folder;
    this.state = start.state;
    this.config = start.config;
    this.#onBusy = onBusy;
    this.tail = new LogTail(context.tails);
    this.tail.written(start.state.logEndOffset);
    this.writer = new LogWriter(context, writerHost(this), start.state.logEndOffset);
  }

  get bytes(): number {
    return this.#segments?.bytes ?? this.state.bytes;
  }

  get retentionHint(): RetentionHint {
    const oldest = this.#segments?.all()[0]?.index?.largestTimestamp;
    return { bytes: this.bytes, oldestTimestamp: oldest ?? this.state.oldestTimestamp };
  }

  /** Something is to be told and to be checkpointed. */
  changed(): void {
    this.#hasChanged = true;
    this.#onBusy(this);
    if (this.#isNotifyDue || this.listener === undefined) return;
    this.#isNotifyDue = true;
    this.context.clock.soon(this.#notify);
  }

  readonly #notify = (): void => {
    this.#isNotifyDue = false;
    const { logEndOffset } = this.state;
    this.listener?.onProgress({ logEndOffset, storedEnd: this.writer.stored });
  };

  /** Whether anything changed since this was asked last. */
  takeChanged(): boolean {
    const had = this.#hasChanged;
    this.#hasChanged = false;
    return had;
  }

  /** Whether anything changed since the last checkpoint. */
  get hasChanged(): boolean {
    return this.#hasChanged;
  }

  get isMarked(): boolean {
    return this.#marked !== undefined;
  }

  /** The segments if they are loaded. */
  get loadedSegments(): SegmentSet | undefined {
    return this.#segments;
  }

  /** The state of idempotence; undefined while it is being read from the log again. */
  producers(): ProducerState | undefined {
    const { state, context } = this;
    if (this.isCutting) return undefined;
    if (state.producers !== undefined || this.#isReplaying) return state.producers;
    const snapshot = context.store.producersAt(this.key, state.logEndOffset);
    if (snapshot?.endOffset === state.logEndOffset || this.bytes === 0) {
      state.producers = new ProducerState(producerSettings(context, this.config), snapshot);
    } else {
      this.#replayProducers();
    }
    return state.producers;
  }

  /** Loads the segments, once. */
  segments(): Promise<SegmentSet> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  /** Resolves when no loading is under way. */
  async whenLoaded(): Promise<void> {
    await this.#loading?.catch(() => undefined);
  }

  /** Marks the log as active; resolves when that is durable. */
  mark(): Promise<void> {
    if (this.isAbandoned) return Promise.resolve();
    // With the record: what it says of epochs behind a lost tail must not meet other batches there.
    this.#marked ??= this.saveRecord(new LogChanges().markActive(this.key));
    return this.#marked;
  }

  /** The record as of now, in a commit that the caller may add to; durable when it resolves. */
  async saveRecord(changes = new LogChanges(), isTruncating = false): Promise<void> {
    // Its record was or will be removed: written now it would stand for whatever comes in its place.
    if (this.isAbandoned) return;
    const record = this.state.record(this.config.flush, isTruncating);
    try {
      await this.context.store.commit(changes.record(this.key, record));
    } catch (caught) {
      this.context.onFatal(caught);
      throw caught;
    }
  }

  /** Where the written log ends. */
  writtenPlace(segments: SegmentSet): LogPlace {
    const { active } = segments;
    return { offset: active.endOffset, segmentBase: active.baseOffset, position: active.bytes };
  }

  async readFiles(request: ReadRequest): Promise<LogRead> {
    this.#onBusy(this);
    const segments = await this.segments();
    // Made for these segments: when the log was idle in between, it has others.
    if (this.#reader?.segments !== segments) {
      this.#reader?.forgetPlaces();
      this.#reader = new LogReader(this.context, segments);
    }
    // What is not written is in the tail; a reader that came for it has been served from there.
    const { written } = this.writer;
    const upTo = request.upTo < written ? request.upTo : written;
    return this.#reader.read({ ...request, upTo });
  }

  truncateTo(to: Offset, options: { readonly keepAside: boolean }): Promise<Offset> {
    return this.operation(() => this.#cutting(() => cutLog(this, to, options)));
  }

  resetTo(start: Offset): Promise<void> {
    return this.operation(() => this.#cutting(() => restartAt(this, start)));
  }

  deleteRecords(to: Offset): Promise<Offset> {
    return this.operation(() => deleteBelow(this, to));
  }

  checkpoint(wish: CheckpointWish): Promise<void> {
    return this.operation(() => checkpointLog(this, wish));
  }

  /** The mark is gone: nothing goes into the journal, redone for marked logs only, until it is set again. */
  unmarked(): void {
    this.#marked = undefined;
    if (this.context.rules.journalsMarked) this.writer.rest();
  }

  /** Only in the writer's exclusive work, with everything recorded: back to the record alone. */
  becomeIdle(): void {
    this.writer.rest();
    this.#segments?.active.release();
    this.#segments = undefined;
    this.#loading = undefined;
    this.#reader?.forgetPlaces();
    this.#reader = undefined;
    this.#marked = undefined;
    this.state.producers = undefined;
  }

  /** Only inside a cut: memory agrees with the files again. */
  resetMemory(end: Offset): void {
    this.#reader?.forgetPlaces();
    this.cuts++;
    this.state.logEndOffset = end;
    this.tail.cutTo(end);
    this.writer.reset(end);
    this.tail.written(end);
    this.changed();
  }

  /** Lets go of everything; the record says how the log was left. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    await this.checkpoint('idle');
    this.tail.clear();
  }

  /** For a log that is deleted or set aside: nothing is flushed any more. */
  async abandon(): Promise<void> {
    this.isClosed = true;
    this.isAbandoned = true;
    await this.operation(() =>
      this.writer.exclusive(() => {
        this.writer.reset(this.state.logEndOffset);
        this.becomeIdle();
        this.tail.clear();
        return Promise.resolve();
      }),
    );
  }

  /** Runs work when all that was asked for before is done. */
  operation<Result>(work: () => Promise<Result>): Promise<Result> {
    const run = this.#operations.then(work);
    this.#operations = run.catch(() => undefined);
    return run;
  }

  async #cutting<Result>(work: () => Promise<Result>): Promise<Result> {
    this.isCutting = true;
    try {
      return await work();
    } finally {
      this.isCutting = false;
    }
  }

  async #load(): Promise<SegmentSet> {
    const identity = { key: this.key, folder: this.folder };
    // The files at its place belong to the log that was made anew there.
    if (this.isAbandoned) throw wasRemoved(identity);
    this.#segments = await loadSegments(this.context, identity, {
      state: this.state,
      isTidy: this.#isTidy,
    });
    this.#isTidy = true;
    return this.#segments;
  }

  #replayProducers(): void {
    this.#isReplaying = true;
    const end = this.state.logEndOffset;
    this.operation(async () => {
      const segments = await this.segments();
      return replayProducers(this.context, { key: this.key, segments, config: this.config, end });
    })
      .then((producers) => {
        this.state.producers = producers;
      })
      .catch((caught: unknown) => failLog(this, caught, end))
      .finally(() => {
        this.#isReplaying = false;
      });
  }
}
