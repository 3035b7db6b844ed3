/**
 * From records to batches, within the producer's memory.
 *
 * Invariants: (1) memory of batches is at most `bytesMax` and one batch; beyond it records wait, in the
 * order in which they came, and none overtakes; (2) records that wait hold at most as much again, and
 * beyond that a send is refused with OVERLOADED: a caller that awaits its sends, or `ready()`, never
 * meets it.
 */
import type { Acks } from '../../proto/model/acks.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import type { Offset } from '../../proto/model/offset.ts';
import type { Clock } from '../../proto/ports/clock.ts';
import { batchHeaderBytes } from '../../proto/wire/batch-layout.ts';
import { invalidRequest } from '../connection/checked-input.ts';
import type { BatchMemory } from './batch-memory.ts';
import { BatchWaiters } from './batch-waiters.ts';
import type { PartitionProducer, WaitedBatch } from './partition-producer.ts';
import { bytesOf, type ProducerRecord, tooLargeError } from './record.ts';
import type { TopicPartitions } from './topic-partitions.ts';

/** How a record is put into a batch. */
export interface PlacedRecord {
  readonly batch: WaitedBatch;
  readonly index: number;
}

/** `unknown-topic`: ask the metadata first. `full`: wait for room. */
export type Placing = PlacedRecord | 'unknown-topic' | 'full';

/** A record that waits for room or for its topic. */
export interface WaitingRecord {
  readonly record: ProducerRecord;
  readonly acks: Acks;
  placed(place: PlacedRecord): void;
  failed(error: HighwaterError): void;
  /** True once its caller has gone. */
  isGone(): boolean;
}

export interface RecordBufferOptions {
  readonly clock: Clock;
  readonly bytesMax: number;
  /** A batch at this size takes no more records. */
  readonly batchBytesTarget: number;
  readonly memory: BatchMemory;
  readonly deliveryTimeoutMs: number;
  /** A topic that nobody knows: `topicResolved` is called when the question is settled. */
  readonly topicWanted: (topic: string) => void;
  readonly begun: (batch: WaitedBatch) => void;
}

/** Whether a batch is shared with whatever comes. */
type OwnPlan = Pick<WaitedBatch['plan'], 'isExclusive' | 'expectedOffset'>;

const shared: OwnPlan = { isExclusive: false, expectedOffset: undefined };
const maxMessageBytesDefault = 1024 * 1024;

export class RecordBuffer {
  readonly #options: RecordBufferOptions;
  readonly #topics: TopicPartitions;
  #bytesHeld = 0;
  #waitingBytes = 0;
  /** For room, in order. */
  #waiting: WaitingRecord[] = [];
  /** For their topic to become known, in order. */
  readonly #waitingForTopic = new Map<string, WaitingRecord[]>();
  #onRoom: (() => void)[] = [];
  /** Flushes: how many of the records that wait for room are still before each. */
  #marks: { left: number; readonly resolve: () => void }[] = [];
  #onTopic: { readonly topic: string; readonly resolve: () => void }[] = [];

  constructor(options: RecordBufferOptions, topics: TopicPartitions) {
    this.#options = options;
    this.#topics = topics;
  }

  /** False while records wait. */
  get hasRoom(): boolean {
    return this.#bytesHeld < this.#options.bytesMax && this.#waiting.length === 0;
  }

  get bytesHeld(): number {
    return this.#bytesHeld;
  }

  /** Records that wait, for room or for their topic. */
  get waitingCount(): number {
    let count = this.#waiting.length;
    for (const records of this.#waitingForTopic.values()) count += records.length;
    return count;
  }

  /** Puts a record into a batch, if that can be done at once. Throws what is wrong with the record. */
  place(record: ProducerRecord, acks: Acks): Placing {
    if (!this.hasRoom) return 'full';
    if (this.#waitingForTopic.size > 0 && this.#waitingForTopic.has(record.topic))
      return 'unknown-topic';
    const partition = this.#topics.of(record);
    if (partition === undefined) return 'unknown-topic';
    return this.#append(partition, record, acks);
  }

  /** Puts records into one batch of their own; throws if they do not fit one. The topic is known. */
  placeTogether(
    records: readonly ProducerRecord[],
    acks: Acks,
    expectedOffset: Offset | undefined,
  ): WaitedBatch {
    const [first] = records;
    const partition = first === undefined ? undefined : this.#topics.of(first);
    if (first === undefined || partition === undefined)
      throw new HighwaterError('UNKNOWN_TOPIC', 'the topic is gone', { outcome: 'not-written' });
    const batch = this.#begin(partition, acks, { isExclusive: true, expectedOffset });
    for (const record of records) {
      const isElsewhere = record.topic !== first.topic || record.partition !== first.partition;
      if (!isElsewhere && this.#fits(batch, record)) continue;
      partition.queue.dropEmpty(batch);
      throw isElsewhere
        ? invalidRequest('the records of an atomic batch go to one partition of one topic')
        : tooLargeError(record, batch.plan.bytesMax);
    }
    partition.recount(batch);
    this.#options.begun(batch);
    partition.wake();
    return batch;
  }

  /** Keeps a record until it can be placed; throws OVERLOADED if too many wait. */
  wait(waiting: WaitingRecord, reason: 'unknown-topic' | 'full'): void {
    const bytes = bytesOf(waiting.record);
    if (this.#waitingBytes + bytes > this.#options.bytesMax) {
      throw new HighwaterError(
        'OVERLOADED',
        'too many records wait for room: await send, or ready()',
        { outcome: 'not-written', facts: { bytesMax: this.#options.bytesMax } },
      );
    }
    this.#waitingBytes += bytes;
    if (reason === 'full') {
      this.#waiting.push(waiting);
      return;
    }
    const { topic } = waiting.record;
    const others = this.#waitingForTopic.get(topic);
    if (others === undefined) {
      this.#waitingForTopic.set(topic, [waiting]);
      this.#options.topicWanted(topic);
    } else {
      others.push(waiting);
    }
  }

  /** Memory was taken or given back. */
  bytesChanged(difference: number): void {
    this.#bytesHeld += difference;
  }

  /** Batches are over: as many waiting records as fit go on. */
  drain(): void {
    while (this.#waiting.length > 0 && this.#bytesHeld < this.#options.bytesMax) {
      // In bites, so that shifting a long queue does not cost its length for each record.
      const bite = this.#waiting.splice(0, 256);
      const later = this.#placeAll(bite);
      if (later.length > 0) this.#waiting = [...later, ...this.#waiting];
      this.#passMarks(bite.length - later.length);
    }
    if (!this.hasRoom) return;
    const resolves = this.#onRoom;
    this.#onRoom = [];
    for (const resolve of resolves) resolve();
  }

  /** The metadata has answered about a topic: `error` if there is none. */
  topicResolved(topic: string, error: HighwaterError | undefined): void {
    const waiting = this.#waitingForTopic.get(topic);
    if (waiting === undefined) return;
    this.#waitingForTopic.delete(topic);
    if (error === undefined) {
      this.#waiting = [...waiting, ...this.#waiting];
      for (const mark of this.#marks) mark.left += waiting.length;
    } else {
      for (const one of waiting) this.#fail(one, error);
    }
    const asked = this.#onTopic.filter((one) => one.topic === topic);
    this.#onTopic = this.#onTopic.filter((one) => one.topic !== topic);
    for (const one of asked) one.resolve();
    this.drain();
  }

  /** Resolves when the records that wait at this moment have been placed or have failed. */
  async drained(): Promise<void> {
    const topics = [...this.#waitingForTopic.keys()];
    await Promise.all(
      topics.map((topic) => new Promise<void>((resolve) => this.#onTopic.push({ topic, resolve }))),
    );
    if (this.#waiting.length === 0) return;
    await new Promise<void>((resolve) => {
      this.#marks.push({ left: this.#waiting.length, resolve });
    });
  }

  /** Resolves when a record would be placed at once. */
  roomy(): Promise<void> {
    if (this.hasRoom) return Promise.resolve();
    return new Promise((resolve) => this.#onRoom.push(resolve));
  }

  /** Fails all that waits. */
  close(error: HighwaterError): void {
    const waiting = [...this.#waiting, ...[...this.#waitingForTopic.values()].flat()];
    this.#waiting = [];
    this.#waitingForTopic.clear();
    for (const one of waiting) this.#fail(one, error);
    for (const resolve of this.#onRoom) resolve();
    for (const { resolve } of [...this.#marks, ...this.#onTopic]) resolve();
    this.#onRoom = [];
    this.#marks = [];
    this.#onTopic = [];
  }

  #passMarks(count: number): void {
    if (this.#marks.length === 0) return;
    for (const mark of this.#marks) mark.left -= count;
    for (const mark of this.#marks) if (mark.left <= 0) mark.resolve();
    this.#marks = this.#marks.filter((mark) => mark.left > 0);
  }

  /** Places records until there is no room; returns those that are left. */
  #placeAll(records: readonly WaitingRecord[]): WaitingRecord[] {
    for (const [at, one] of records.entries()) {
      if (this.#bytesHeld >= this.#options.bytesMax) return records.slice(at);
      this.#waitingBytes -= bytesOf(one.record);
      if (one.isGone()) continue;
      try {
        const partition = this.#topics.of(one.record);
        if (partition === undefined) this.wait(one, 'unknown-topic');
        else one.placed(this.#append(partition, one.record, one.acks));
      } catch (caught) {
        one.failed(HighwaterError.from(caught));
      }
    }
    return [];
  }

  #fail(waiting: WaitingRecord, error: HighwaterError): void {
    this.#waitingBytes -= bytesOf(waiting.record);
    waiting.failed(error);
  }

  #append(partition: PartitionProducer, record: ProducerRecord, acks: Acks): PlacedRecord {
    const { queue } = partition;
    const open = queue.openBatch();
    const takes =
      open !== undefined &&
      open.plan.acks === acks &&
      open.byteLength < this.#options.batchBytesTarget;
    if (takes && this.#fits(open, record)) {
      partition.recount(open);
      return { batch: open, index: open.recordCount - 1 };
    }
    if (open !== undefined) {
      partition.filled(open.byteLength);
      this.#topics.batchClosed(partition);
    }
    const batch = this.#begin(partition, acks, shared);
    if (!this.#fits(batch, record)) {
      queue.dropEmpty(batch);
      throw tooLargeError(record, batch.plan.bytesMax);
    }
    partition.recount(batch);
    this.#options.begun(batch);
    partition.wake();
    return { batch, index: 0 };
  }

  #begin(partition: PartitionProducer, acks: Acks, own: OwnPlan): WaitedBatch {
    const { clock, deliveryTimeoutMs } = this.#options;
    const bytesMax = Number(
      partition.topic.config.get('max.message.bytes') ?? maxMessageBytesDefault,
    );
    const bytesExpected = Math.max(batchHeaderBytes, partition.bytesExpected);
    return partition.queue.begin({
      acks,
      waiters: new BatchWaiters(),
      bytesMax,
      bytesExpected,
      memory: this.#options.memory.lend(bytesExpected),
      deadlineMs: clock.now() + deliveryTimeoutMs,
      ...own,
    });
  }

  #fits(batch: WaitedBatch, record: ProducerRecord): boolean {
    const timestamp = record.timestamp ?? Math.floor(this.#options.clock.wall());
    return batch.builder?.append(timestamp, record.key, record.value, record.headers) ?? false;
  }
}
