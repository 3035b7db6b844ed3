/**
 * Reads without a group: from any place, bounded or following, from the leader or any replica. An async
 * iterable of records, or of batches for bulk. Memory is bounded by the bytes that may be sent ahead:
 * a loop that stops reading stops the brokers.
 */
import type { ReadLevel } from '../../proto/generated/highwater/v1/fetch.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import { partitionNumber, type TopicId } from '../../proto/model/ids.ts';
import type { Offset } from '../../proto/model/offset.ts';
import { listenForAbort } from '../../proto/rpc/call/abort-listener.ts';
import { isCompressionLoaded, loadCompression } from '../../proto/wire/compression/codecs.ts';
import { compressionNames } from '../../proto/wire/compression-id.ts';
import type { ClientParts } from '../client-parts.ts';
import { checkedNode, checkedPartition } from '../connection/checked-input.ts';
import { awaitTopic } from '../connection/known-topic.ts';
import { cancelledBefore } from '../connection/waiting.ts';
import type { TopicView } from '../metadata/cluster-view.ts';
import type { Session } from '../session/session.ts';
import type { OffsetLevel } from './offset-questions.ts';
import type { PartitionCursor } from './partition-cursor.ts';
import { PartitionReads } from './partition-reads.ts';
import type { ReadChunk } from './read-chunk.ts';
import { ReadBatch, type ReadRecord } from './read-record.ts';
import { RecordIterator } from './record-iterator.ts';
import { type ReadEnd, type ReadStart, resolveEnd, resolveStart } from './start-offsets.ts';

export interface ReaderOptions {
  readonly topic: string;
  /** One partition; all of them if absent. */
  readonly partition?: number;
  /** `earliest` by default. */
  readonly from?: ReadStart;
  /** Where to end; never by default. */
  readonly to?: ReadEnd;
  /** What to do where the next offset is no longer kept, or not written yet; `fail` by default. */
  readonly onOutOfRange?: 'fail' | 'earliest' | 'latest';
  /** False is short for `to: 'latest'`. */
  readonly follow?: boolean;
  /** `leader` by default; `nearest` prefers the own rack; or one node. */
  readonly readFrom?: 'leader' | 'nearest' | number;
  /** This reader's rack, for `nearest`. */
  readonly rack?: string;
  /** `session` by default: never behind what this session has written or seen. */
  readonly level?: 'any' | 'session' | 'leader' | 'linearizable';
  /** Bytes that may be received ahead; 8 MiB by default. */
  readonly prefetchBytesMax?: number;
  /** The client's own by default. */
  readonly session?: Session;
  readonly signal?: AbortSignal;
}

const prefetchBytesMaxDefault = 8 * 1024 * 1024;

export class Reader implements AsyncIterable<ReadRecord>, AsyncDisposable {
  readonly #parts: ClientParts;
  readonly #options: ReaderOptions;
  readonly #session: Session;
  readonly #reads: PartitionReads;
  readonly #stop = new AbortController();
  readonly #onClosed: () => void;
  #starting: Promise<void> | undefined;
  readonly #cursors: PartitionCursor[] = [];
  /** How many of the topic's partitions are read, or begun. */
  #taken = 0;
  #stopWatching: () => void = () => undefined;
  #onCaughtUp: (() => void)[] = [];
  #isClosed = false;

  constructor(parts: ClientParts, options: ReaderOptions, onClosed: () => void) {
    this.#parts = parts;
    this.#options = options;
    this.#onClosed = onClosed;
    this.#session = options.session ?? parts.session;
    const { readFrom = 'leader', level = 'session', onOutOfRange = 'fail' } = options;
    this.#reads = new PartitionReads({
      parts,
      session: this.#session,
      readFrom: typeof readFrom === 'number' ? checkedNode(readFrom) : readFrom,
      rack: options.rack,
      level: level satisfies ReadLevel,
      prefetchBytesMax: options.prefetchBytesMax ?? prefetchBytesMaxDefault,
      ...(onOutOfRange === 'fail'
        ? {}
        : { restart: (cursor: PartitionCursor) => this.#offsetAt(cursor, onOutOfRange) }),
    });
    if (options.signal !== undefined) listenForAbort(options.signal, this.#onAbort);
    if (options.signal?.aborted === true) this.#onAbort();
  }

  /** Bytes received and not yet consumed. */
  get bufferedBytes(): number {
    return this.#reads.queue.bytes;
  }

  /** True while everything below the watermarks of a moment ago was consumed. */
  get isCaughtUp(): boolean {
    return this.#cursors.length > 0 && this.#cursors.every((cursor) => cursor.isCaughtUp);
  }

  /** Resolves when every partition was consumed up to what was its end at some moment. */
  caughtUp(): Promise<void> {
    if (this.isCaughtUp || this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => this.#onCaughtUp.push(resolve));
  }

  [Symbol.asyncIterator](): AsyncIterator<ReadRecord> {
    return new RecordIterator(this.batches()[Symbol.asyncIterator]());
  }

  /** The same records, a batch at a time. Leaving the loop closes the reader. */
  async *batches(): AsyncGenerator<ReadBatch> {
    try {
      this.#starting ??= this.#start();
      await this.#starting;
      while (await this.#reads.queue.arrived()) {
        const chunk = this.#reads.queue.take();
        if (chunk !== undefined) yield* this.#deliver(chunk);
      }
    } finally {
      await this.close();
    }
  }

  /** Ends the iteration. Always returns. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stop.abort();
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    this.#stopWatching();
    this.#reads.close();
    for (const resolve of this.#onCaughtUp) resolve();
    this.#onClosed();
    await Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  readonly #onAbort = (): void => {
    const { signal } = this.#options;
    this.#stop.abort();
    if (signal !== undefined) this.#reads.queue.finish(cancelledBefore(signal));
  };

  async #start(): Promise<void> {
    const { topic: name } = this.#options;
    await awaitTopic(this.#parts, name, this.#stop.signal);
    const topic = this.#parts.metadata.view.topicsByName.get(name);
    if (topic === undefined) throw new HighwaterError('UNKNOWN_TOPIC', `no topic ${name}`);
    const numbers = this.#numbers(topic);
    this.#taken = topic.partitions.length;
    const { from = 'earliest', partition } = this.#options;
    const begun = await Promise.all(numbers.map((number) => this.#cursor(topic, number, from)));
    this.#cursors.push(...begun);
    this.#reads.begin(begun);
    // A bounded reader ends with what was there when it began.
    if (partition !== undefined || begun.some((cursor) => cursor.to !== undefined)) return;
    this.#stopWatching = this.#parts.metadata.onChange(() => void this.#pickUp(topic.topicId));
    void this.#pickUp(topic.topicId);
  }

  /** Partitions that the topic was given since are read from their beginning. */
  async #pickUp(topicId: TopicId): Promise<void> {
    const topic = this.#parts.metadata.view.topicsById.get(topicId);
    if (topic === undefined) return;
    for (; this.#taken < topic.partitions.length; ) {
      const number = this.#taken++;
      try {
        const cursor = await this.#cursor(topic, number, 'earliest');
        if (this.#isClosed) return;
        this.#cursors.push(cursor);
        this.#reads.add(cursor);
      } catch (caught) {
        this.#reads.queue.finish(HighwaterError.from(caught));
      }
    }
  }

  /** Where a partition goes on whose next offset is not kept. */
  async #offsetAt(cursor: PartitionCursor, place: 'earliest' | 'latest'): Promise<Offset> {
    const { topic, partition } = cursor;
    const target = { parts: this.#parts, topic, partition, signal: this.#stop.signal };
    return (await resolveStart(target, place)).offset;
  }

  #numbers(topic: TopicView): readonly number[] {
    const { partition } = this.#options;
    if (partition === undefined) return topic.partitions.map((_, index) => index);
    if (checkedPartition(partition) < topic.partitions.length) return [partition];
    throw new HighwaterError(
      'UNKNOWN_PARTITION',
      `${topic.name} has partitions 0 to ${topic.partitions.length - 1}, not ${partition}`,
    );
  }

  async #cursor(topic: TopicView, number: number, from: ReadStart): Promise<PartitionCursor> {
    const { machine } = this.#parts;
    const { follow, to = follow === false ? 'latest' : undefined } = this.#options;
    const partition = partitionNumber(number);
    const level: OffsetLevel = this.#options.level === 'linearizable' ? 'linearizable' : 'leader';
    const target = { parts: this.#parts, topic, partition, signal: this.#stop.signal, level };
    const [start, end] = await Promise.all([resolveStart(target, from), resolveEnd(target, to)]);
    return {
      topic,
      partition,
      to: end,
      next: start.offset,
      epoch: start.epoch,
      connection: undefined,
      isHeard: false,
      startedMs: machine.clock.now(),
      failures: 0,
      failingSinceMs: undefined,
      avoided: new Map(),
      drawn: machine.random.below(1024),
      isCaughtUp: false,
      isDone: false,
    };
  }

  async *#deliver(chunk: ReadChunk): AsyncGenerator<ReadBatch> {
    const { cursor, place, headers } = chunk;
    if (headers.length > 0) cursor.isCaughtUp = false;
    for (const header of headers) {
      const batch = new ReadBatch(place, chunk.bytes, header);
      if (batch.isControl || header.lastOffset < place.from) continue;
      if (!isCompressionLoaded(header.compression))
        await loadCompression(compressionNames[header.compression]);
      this.#session.advance(cursor.topic.topicId, cursor.partition, {
        offset: batch.endOffset,
        leaderEpoch: batch.leaderEpoch,
      });
      yield batch;
    }
    this.#reads.queue.consumed(chunk);
    this.#reads.replenish();
    if (!chunk.isCaughtUp) return;
    cursor.isCaughtUp = true;
    if (!this.isCaughtUp) return;
    for (const resolve of this.#onCaughtUp) resolve();
    this.#onCaughtUp = [];
  }
}
