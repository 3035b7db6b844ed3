/**
 * From records to batches, within the producer's memory.
 *
 * Invariants: (1) memory of batches is at most `bytesMax` and one batch; beyond it records wait, in the
 * order in which they came, and none overtakes; (2) records that wait hold at most as much again, and
 * beyond that a send is refused with OVERLOADED: a caller that awaits its sends, or `ready()`, never
 * meets it; (3) of many records that are sent at once a turn places only so many, so that what is full
 * leaves, and answers are heard, meanwhile.
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
import {
  type Placed,
  type Sending,
  type SentRecords,
  type Waiting,
  WaitingLine,
} from './waiting-line.ts';

/** `unknown-topic`: ask the metadata first. `full`: wait for room. */
export type Placing = Placed | 'unknown-topic' | 'full';

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
/** Bytes of records sent together that one turn places: a millisecond's work at most. */
const turnBytesMax = 512 * 1024;

export class RecordBuffer {
  readonly #options: RecordBufferOptions;
  readonly #topics: TopicPartitions;
  readonly #line = new WaitingLine();
  #bytesHeld = 0;
  /** Bytes of records sent together that this turn has placed. */
  #turnBytes = 0;
  /** Records of one entry that go into one batch, one behind the other. */
  #stretch: { readonly partition: PartitionProducer; readonly placed: Placed } | undefined;
  #onRoom: (() => void)[] = [];

  constructor(options: RecordBufferOptions, topics: TopicPartitions) {
    this.#options = options;
    this.#topics = topics;
  }

  /** False while records wait. */
  get hasRoom(): boolean {
    return this.#bytesHeld < this.#options.bytesMax && this.#line.isEmpty;
  }

  get bytesHeld(): number {
    return this.#bytesHeld;
  }

  /** Puts a record into a batch, if that can be done at once. Throws what is wrong with the record. */
  place(record: ProducerRecord, acks: Acks): Placing {
    if (!this.hasRoom) return 'full';
    if (this.#line.awaits(record.topic)) return 'unknown-topic';
    const partition = this.#topics.of(record);
    if (partition === undefined) return 'unknown-topic';
    return this.#append(partition, record, acks, this.#wallMs());
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
    const wallMs = this.#wallMs();
    for (const record of records) {
      const isElsewhere = record.topic !== first.topic || record.partition !== first.partition;
      if (!isElsewhere && this.#fits(batch, record, wallMs)) continue;
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

  /** Puts records into batches, one after the other, behind what waits; over several turns if they are many. */
  placeAll(sent: SentRecords): void {
    this.#line.push({ sent, next: 0, bytes: 0 });
    this.drain();
  }

  /** Keeps one record until it can be placed; throws OVERLOADED if too many wait. */
  wait(sent: Sending, record: ProducerRecord, reason: 'unknown-topic' | 'full'): void {
    const { bytesMax, topicWanted } = this.#options;
    const bytes = bytesOf(record);
    if (this.#line.bytes + bytes > bytesMax) {
      throw new HighwaterError(
        'OVERLOADED',
        'too many records wait for room: await send, or ready()',
        { outcome: 'not-written', facts: { bytesMax } },
      );
    }
    const waiting = { sent: { ...sent, records: [record] }, next: 0, bytes };
    if (reason === 'full') return this.#line.push(waiting);
    const { topic } = record;
    const isWanted = !this.#line.awaits(topic);
    this.#line.pushUnknown(topic, waiting);
    if (isWanted) topicWanted(topic);
  }

  /** Memory was taken or given back. */
  bytesChanged(difference: number): void {
    this.#bytesHeld += difference;
  }

  /** As much of what waits is placed as there is room for, and as a turn may place. */
  drain(): void {
    for (let first = this.#line.first; first !== undefined; first = this.#line.first) {
      if (!this.#placeOn(first)) return;
      this.#line.shift();
    }
    if (!this.hasRoom) return;
    const resolves = this.#onRoom;
    this.#onRoom = [];
    for (const resolve of resolves) resolve();
  }

  /** The metadata has answered about a topic: `error` if there is none. */
  topicResolved(topic: string, error: HighwaterError | undefined): void {
    this.#line.topicResolved(topic, error);
    this.drain();
  }

  /** Resolves when the records that wait at this moment have been placed or have failed. */
  drained(): Promise<void> {
    return this.#line.passed();
  }

  /** Resolves when a record would be placed at once. */
  roomy(): Promise<void> {
    if (this.hasRoom) return Promise.resolve();
    return new Promise((resolve) => this.#onRoom.push(resolve));
  }

  /** Fails all that waits. */
  close(error: HighwaterError): void {
    this.#line.close(error);
    for (const resolve of this.#onRoom) resolve();
    this.#onRoom = [];
  }

  /** Places records of one entry; false if there is no room, or the turn has placed enough. */
  #placeOn(waiting: Waiting): boolean {
    const { sent } = waiting;
    const { bytesMax } = this.#options;
    const wallMs = this.#wallMs();
    while (waiting.next < sent.records.length) {
      if (this.#bytesHeld >= bytesMax || this.#turnBytes >= turnBytesMax) break;
      this.#placeSent(sent, sent.records[waiting.next++] as ProducerRecord, wallMs);
    }
    this.#endStretch(sent);
    return waiting.next === sent.records.length;
  }

  /** Places one record, or keeps it until its topic is known, or fails it. */
  #placeSent(sent: SentRecords, record: ProducerRecord, wallMs: number): void {
    const fault = sent.faultOf(record);
    if (fault !== undefined) return sent.failed(fault, 1);
    this.#countTurn(bytesOf(record));
    try {
      const partition = this.#line.awaits(record.topic) ? undefined : this.#topics.of(record);
      if (partition === undefined) return this.wait(sent, record, 'unknown-topic');
      const stretch = this.#stretch;
      if (stretch?.partition === partition && this.#joins(stretch.placed.batch, record, wallMs)) {
        stretch.placed.count++;
        return;
      }
      this.#endStretch(sent);
      this.#stretch = { partition, placed: this.#append(partition, record, sent.acks, wallMs) };
    } catch (caught) {
      sent.failed(HighwaterError.from(caught), 1);
    }
  }

  /** True if the record was appended to the batch of the stretch. */
  #joins(batch: WaitedBatch, record: ProducerRecord, wallMs: number): boolean {
    return batch.byteLength < this.#options.batchBytesTarget && this.#fits(batch, record, wallMs);
  }

  /** What is told and counted for a stretch is so once, not for each record. */
  #endStretch(sent: SentRecords): void {
    const stretch = this.#stretch;
    if (stretch === undefined) return;
    this.#stretch = undefined;
    stretch.partition.recount(stretch.placed.batch);
    sent.placed(stretch.placed);
  }

  #countTurn(bytes: number): void {
    if (this.#turnBytes === 0) {
      this.#options.clock.soon(() => {
        this.#turnBytes = 0;
        this.drain();
      });
    }
    this.#turnBytes += bytes;
  }

  #append(
    partition: PartitionProducer,
    record: ProducerRecord,
    acks: Acks,
    wallMs: number,
  ): Placed {
    const { queue } = partition;
    const open = queue.openBatch();
    const takes =
      open !== undefined &&
      open.plan.acks === acks &&
      open.byteLength < this.#options.batchBytesTarget;
    if (takes && this.#fits(open, record, wallMs)) {
      partition.recount(open);
      return { batch: open, index: open.recordCount - 1, count: 1 };
    }
    if (open !== undefined) {
      partition.filled(open.byteLength);
      this.#topics.batchClosed(partition);
    }
    const batch = this.#begin(partition, acks, shared);
    if (!this.#fits(batch, record, wallMs)) {
      queue.dropEmpty(batch);
      throw tooLargeError(record, batch.plan.bytesMax);
    }
    partition.recount(batch);
    this.#options.begun(batch);
    partition.wake();
    return { batch, index: 0, count: 1 };
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

  /** False if the batch has no room for it. */
  #fits(
    { builder }: WaitedBatch,
    { timestamp, key, value, headers }: ProducerRecord,
    wallMs: number,
  ): boolean {
    return builder?.append(timestamp ?? wallMs, key, value, headers) ?? false;
  }

  #wallMs(): number {
    return Math.floor(this.#options.clock.wall());
  }
}
