/**
 * Hands out what was read, in order of each partition, and never anything of a partition that this
 * member may no longer hold. One consumer of it at a time.
 */
import type { HighwaterError } from '../../proto/model/errors.ts';
import type { LeaderEpoch, Offset } from '../../proto/model/offset.ts';
import type { Clock } from '../../proto/ports/clock.ts';
import { isCompressionLoaded, loadCompression } from '../../proto/wire/compression/codecs.ts';
import { compressionNames } from '../../proto/wire/compression-id.ts';
import type { RecordCursor } from '../../proto/wire/record-cursor.ts';
import type { PartitionReads } from '../reader/partition-reads.ts';
import type { ReadChunk } from '../reader/read-chunk.ts';
import { nextRecord, ReadBatch, type ReadRecord } from '../reader/read-record.ts';
import type { OffsetTracker } from './core/offset-tracker.ts';
import type { OwnedPartition } from './owned-partition.ts';
import type { PartitionHolder } from './partition-holder.ts';

/** One record or batch that was handed out: to be finished or abandoned. */
export interface Delivery<Item> {
  readonly item: Item;
  readonly owned: OwnedPartition;
  readonly tracker: OffsetTracker;
  /** Of its last record: what is finished or abandoned. */
  readonly offset: Offset;
  /** Of its first record: where to go on if it is not handled. */
  readonly first: Offset;
}

export interface RecordSourceOptions {
  readonly reads: PartitionReads;
  readonly holder: PartitionHolder;
  readonly clock: Clock;
  /** Gives up what is held if the session may be over. */
  readonly checkSession: (nowMs: number) => void;
}

interface ChunkAtHand {
  readonly chunk: ReadChunk;
  /** Who held its partition when it was taken. */
  readonly owned: OwnedPartition | undefined;
  at: number;
}

export class RecordSource {
  readonly #options: RecordSourceOptions;
  #chunk: ChunkAtHand | undefined;
  #batch:
    | { readonly batch: ReadBatch; readonly cursor: RecordCursor; readonly epoch: LeaderEpoch }
    | undefined;
  #arrival: Promise<boolean> | undefined;
  #wake: (() => void) | undefined;
  readonly #failures: { readonly error: unknown }[] = [];
  #isInterrupted = false;
  #end: { readonly error: HighwaterError | undefined } | undefined;

  constructor(options: RecordSourceOptions) {
    this.#options = options;
  }

  /** The failure of one partition, or of the user's listener: thrown once, and then the others go on. */
  fail(error: unknown): void {
    this.#failures.push({ error });
    this.#wake?.();
  }

  /** Whoever waits for the next one is told that there is none; the one after that waits again. */
  interrupt(): void {
    this.#isInterrupted = true;
    this.#wake?.();
  }

  /** An interruption that nobody has met is over. */
  goOn(): void {
    this.#isInterrupted = false;
  }

  /** Nothing more is handed out. */
  finish(error?: HighwaterError): void {
    this.#end ??= { error };
    this.#wake?.();
  }

  /** The next record if it is there without waiting; undefined too where `nextRecord` has more to say. */
  recordAtOnce(): Delivery<ReadRecord> | undefined {
    if (this.#batch === undefined || this.#isInterrupted) return undefined;
    if (this.#end !== undefined || this.#failures.length > 0) return undefined;
    const nowMs = this.#options.clock.now();
    this.#options.checkSession(nowMs);
    return this.#recordAtHand(nowMs);
  }

  /** The next record; undefined at the end. */
  async nextRecord(): Promise<Delivery<ReadRecord> | undefined> {
    for (;;) {
      const nowMs = this.#options.clock.now();
      this.#options.checkSession(nowMs);
      this.#throwFailure();
      if (this.#isOver()) return undefined;
      const delivery = this.#recordAtHand(nowMs);
      if (delivery !== undefined) return delivery;
      const batch = await this.#nextBatch();
      if (batch === undefined) continue;
      this.#batch = { batch, cursor: batch.cursor(), epoch: batch.leaderEpoch };
    }
  }

  /** The next whole batch; undefined at the end. */
  async nextBatch(): Promise<Delivery<ReadBatch> | undefined> {
    this.#batch = undefined;
    for (;;) {
      this.#options.checkSession(this.#options.clock.now());
      this.#throwFailure();
      if (this.#isOver()) return undefined;
      const batch = await this.#nextBatch();
      const owned = this.#owned();
      if (batch === undefined || owned === undefined || this.#end !== undefined) continue;
      const first = owned.next.offset;
      const epoch = batch.leaderEpoch;
      owned.next = { offset: batch.endOffset, epoch };
      const offset = batch.header.lastOffset;
      owned.tracker.begin(offset, epoch, this.#options.clock.now());
      return { item: batch, owned, tracker: owned.tracker, offset, first };
    }
  }

  #recordAtHand(nowMs: number): Delivery<ReadRecord> | undefined {
    const current = this.#batch;
    const owned = current === undefined ? undefined : this.#owned();
    if (current === undefined || owned === undefined) {
      this.#batch = undefined;
      return undefined;
    }
    const { batch, cursor, epoch } = current;
    const item = nextRecord(batch.place, cursor);
    if (item === undefined) {
      this.#batch = undefined;
      return undefined;
    }
    const { offset } = cursor;
    owned.next = { offset: (offset + 1) as Offset, epoch };
    owned.tracker.begin(offset, epoch, nowMs);
    return { item, owned, tracker: owned.tracker, offset, first: offset };
  }

  /** Who holds what the chunk at hand brought; undefined if that has changed since it came. */
  #owned(): OwnedPartition | undefined {
    const owned = this.#chunk?.owned;
    if (owned === undefined || owned.isClosed) return undefined;
    return owned.cursor === this.#chunk?.chunk.cursor ? owned : undefined;
  }

  async #nextBatch(): Promise<ReadBatch | undefined> {
    for (;;) {
      const batch = this.#batchAtHand();
      if (batch !== undefined) {
        if (!isCompressionLoaded(batch.header.compression))
          await loadCompression(compressionNames[batch.header.compression]);
        return batch;
      }
      if (!(await this.#arrived())) return undefined;
      const chunk = this.#options.reads.queue.take();
      if (chunk === undefined) continue;
      this.#chunk = { chunk, owned: this.#options.holder.readBy(chunk.cursor), at: 0 };
    }
  }

  #batchAtHand(): ReadBatch | undefined {
    const current = this.#chunk;
    if (current === undefined) return undefined;
    const { chunk } = current;
    while (this.#owned() !== undefined) {
      const header = chunk.headers[current.at++];
      if (header === undefined) break;
      const batch = new ReadBatch(chunk.place, chunk.bytes, header);
      if (!batch.isControl && header.lastOffset >= chunk.place.from) return batch;
    }
    this.#chunk = undefined;
    this.#options.reads.queue.consumed(chunk);
    this.#options.reads.replenish();
    return undefined;
  }

  /** True when there is a chunk; false at the end. */
  async #arrived(): Promise<boolean> {
    for (;;) {
      this.#throwFailure();
      if (this.#end !== undefined || this.#isInterrupted) return false;
      this.#arrival ??= this.#options.reads.queue.arrived().finally(() => {
        this.#arrival = undefined;
      });
      const woken = new Promise<'woken'>((resolve) => {
        this.#wake = () => resolve('woken');
      });
      const outcome = await Promise.race([this.#arrival, woken]);
      this.#wake = undefined;
      if (outcome !== 'woken') return outcome;
    }
  }

  /** True at the end, and once after an interruption. */
  #isOver(): boolean {
    const isOver = this.#end !== undefined || this.#isInterrupted;
    this.#isInterrupted = false;
    return isOver;
  }

  #throwFailure(): void {
    if (this.#end?.error !== undefined) throw this.#end.error;
    const failure = this.#failures.shift();
    if (failure !== undefined) throw failure.error;
  }
}
