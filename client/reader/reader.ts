/**
 * Reads without a group: from any place, bounded or following, from the leader or any replica. An async
 * iterable of records, or of batches for bulk. Memory is bounded by the bytes that may be sent ahead:
 * a loop that stops reading stops the brokers.
 */
import { HighwaterError } from '../../proto/model/errors.ts';
import { nodeId, partitionNumber, type TopicId } from '../../proto/model/ids.ts';
import type { Offset } from '../../proto/model/offset.ts';
import { listenForAbort } from '../../proto/rpc/call/abort-listener.ts';
import { isCompressionLoaded, loadCompression } from '../../proto/wire/compression/codecs.ts';
import { compressionNames } from '../../proto/wire/compression-id.ts';
import type { ClientParts } from '../client-parts.ts';
import { checkedPartition, invalidRequest } from '../connection/checked-input.ts';
import { awaitTopic } from '../connection/known-topic.ts';
import { cancelledBefore } from '../connection/waiting.ts';
import type { TopicView } from '../metadata/cluster-view.ts';
import type { Session } from '../session/session.ts';
import type { OffsetLevel } from './offset-questions.ts';
import type { PartitionCursor } from './partition-cursor.ts';
import { PartitionReads } from './partition-reads.ts';
import type { ReadChunk } from './read-chunk.ts';
import { ReadBatch, type ReadRecord } from './read-record.ts';
import { type ReaderOptions, readerSettings } from './reader-options.ts';
import { RecordIterator } from './record-iterator.ts';
import { type ReadStart, resolveEnd, resolveStart } from './start-offsets.ts';

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
    const { readFrom, level, onOutOfRange, prefetchBytesMax } = readerSettings(options);
    this.#parts = parts;
    this.#options = options;
    this.#onClosed = onClosed;
    this.#session = options.session ?? parts.session;
    this.#reads = new PartitionReads({
      parts,
      session: this.#session,
      readFrom,
      rack: options.rack,
      level,
      prefetchBytesMax,
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
  batches(): AsyncGenerator<ReadBatch> {
    const batches = this.#batches();
    const leave = batches.return.bind(batches);
    // A generator that waits for a batch is left only when it has one, or when there are no more.
    batches.return = async (value) => {
      await this.close();
      return leave(value);
    };
    return batches;
  }

  async *#batches(): AsyncGenerator<ReadBatch> {
    try {
      this.#starting ??= this.#start();
      await this.#starting.catch((error: unknown) => {
        if (!this.#isClosed) throw error;
      });
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
    this.#reads.close();
  };

  async #start(): Promise<void> {
    const { topic: name } = this.#options;
    await awaitTopic(this.#parts, name, this.#stop.signal);
    const topic = this.#parts.metadata.view.topicsByName.get(name);
    if (topic === undefined) throw new HighwaterError('UNKNOWN_TOPIC', `no topic ${name}`);
    const numbers = this.#numbers(topic);
    for (const number of numbers) this.#checkReplica(topic, number);
    this.#taken = topic.partitions.length;
    const { from = 'earliest', partition } = this.#options;
    const begun = await Promise.all(numbers.map((number) => this.#cursor(topic, number, from)));
    if (this.#stop.signal.aborted) return;
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

  /** A node that holds no replica would be waited for without end. */
  #checkReplica(topic: TopicView, number: number): void {
    const { readFrom } = this.#options;
    const replicas = topic.partitions[number]?.replicas ?? [];
    if (typeof readFrom !== 'number' || replicas.includes(nodeId(readFrom))) return;
    throw invalidRequest(
      `${topic.name}/${number} has no replica on node ${readFrom}; it has them on ${replicas.join(', ')}`,
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
      if (this.#stop.signal.aborted) return;
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
