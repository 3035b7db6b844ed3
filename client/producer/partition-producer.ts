/**
 * One partition as a producer writes it: its queue, who leads it, and who is told what became of a
 * batch. Decisions are the queue's; this file counts the memory and keeps the pause between attempts.
 */
import type { Receipt as WireReceipt } from '../../proto/generated/highwater/v1/produce.ts';
import type { HighwaterError } from '../../proto/model/errors.ts';
import type { PartitionNumber } from '../../proto/model/ids.ts';
import type { Clock, Timer } from '../../proto/ports/clock.ts';
import type { Random } from '../../proto/ports/random.ts';
import { drawBackoff } from '../connection/backoff.ts';
import type { TopicView } from '../metadata/cluster-view.ts';
import type { Session, SessionPosition } from '../session/session.ts';
import type { BatchWaiters } from './batch-waiters.ts';
import { type BatchFailed, PartitionQueue } from './core/partition-queue.ts';
import type { QueuedBatch } from './core/queued-batch.ts';
import type { LeaderSender } from './leader-sender.ts';
import { type BatchReceipt, positionAfter } from './receipt.ts';

/** What a partition needs of its producer. */
export interface PartitionHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly session: Session;
  readonly isIdempotent: boolean;
  readonly storedLevel: BatchReceipt['storedLevel'];
  /** Memory was taken (positive) or given back. */
  bytesChanged(difference: number): void;
  /** Nobody reads the memory of the batch any more. */
  memoryFree(memory: Buffer): void;
  /** A batch has left: records without a key may go elsewhere. */
  batchLeft(partition: PartitionProducer): void;
  /** A batch has its outcome. */
  batchOver(batch: WaitedBatch): void;
  /** The epochs of this partition's producer id are used up. */
  identityWanted(partition: PartitionProducer): void;
}

export type WaitedBatch = QueuedBatch<BatchWaiters>;

const backoff = { minMs: 10, maxMs: 1_000 };
const bytesExpectedMin = 4096;
/** A batch that outgrows its memory is copied, so that one small batch between large ones is no news. */
const expectedGrowth = 1.1;
const expectedDecay = 0.75;

export class PartitionProducer {
  readonly topic: TopicView;
  readonly partition: PartitionNumber;
  readonly queue: PartitionQueue<BatchWaiters>;
  /** Who sends to the leader; undefined while there is none. */
  sender: LeaderSender | undefined;
  /** Epoch of that leadership. */
  leaderEpoch = -1;
  /** The place behind what was acknowledged last. */
  lastWritten: SessionPosition | undefined;
  /** Bytes of memory to begin the next batch with. */
  bytesExpected = bytesExpectedMin;
  readonly #host: PartitionHost;
  #timer: Timer | undefined;

  constructor(host: PartitionHost, topic: TopicView, partition: PartitionNumber) {
    this.#host = host;
    this.topic = topic;
    this.partition = partition;
    this.queue = new PartitionQueue(host.isIdempotent);
  }

  /** What its leader has not answered, of all partitions, and what waits here to be sent. */
  get bytesOwed(): number {
    let bytes = this.sender?.bytesInFlight ?? 0;
    for (const batch of this.queue.batches()) {
      if (batch.state !== 'in-flight') bytes += batch.byteLength;
    }
    return bytes;
  }

  /** There is something to send, or may be. */
  wake(): void {
    this.sender?.enqueue(this);
  }

  /** Counts the memory of a batch anew: it has grown, or was compressed. */
  recount(batch: WaitedBatch): void {
    const { bytesHeld } = batch;
    this.#host.bytesChanged(bytesHeld - batch.bytesCounted);
    batch.bytesCounted = bytesHeld;
  }

  /** A batch takes no more records: the next one is expected to need as much, and a little more. */
  filled(bytes: number): void {
    const before = this.bytesExpected * expectedDecay;
    this.bytesExpected = Math.ceil(Math.max(bytes * expectedGrowth, before, bytesExpectedMin));
  }

  /** A batch is on its way, its bytes made. */
  sealed(batch: WaitedBatch): void {
    this.recount(batch);
    this.#host.batchLeft(this);
  }

  /** A batch at level `none` has left. */
  left(batch: WaitedBatch): void {
    this.#giveBack(batch);
    batch.plan.waiters.written(this.#receipt(batch, undefined));
    this.#host.batchOver(batch);
  }

  /** The answer to an attempt; one to an earlier attempt is ignored. */
  written(batch: WaitedBatch, attempt: number, answer: WireReceipt): void {
    if (batch.state !== 'in-flight' || batch.attempts !== attempt) return;
    const failed = this.queue.written(batch, this.#host.clock.now());
    this.#giveBack(batch);
    const { memory } = batch.plan;
    if (memory !== undefined && attempt === 1) this.#host.memoryFree(memory);
    const receipt = this.#receipt(batch, answer);
    const position = positionAfter(receipt, receipt.recordCount - 1);
    if (position !== undefined) {
      this.#host.session.advance(this.topic.topicId, this.partition, position);
      if (this.lastWritten === undefined || position.offset > this.lastWritten.offset)
        this.lastWritten = position;
    }
    if (!batch.isTold) {
      batch.plan.waiters.written(receipt);
      this.#host.batchOver(batch);
    }
    this.tell(failed);
  }

  refused(batch: WaitedBatch, attempt: number, error: HighwaterError): void {
    if (batch.state !== 'in-flight' || batch.attempts !== attempt) return;
    const { clock, random } = this.#host;
    const pauseMs = drawBackoff(random, this.queue.failures + 1, backoff);
    this.tell(this.queue.refused(batch, error, clock.now(), pauseMs));
    if (this.queue.isEmpty) return;
    this.#timer?.cancel();
    this.#timer = clock.after(Math.max(0, this.queue.notBeforeMs - clock.now()), () => this.wake());
  }

  /** Fails what is past its deadline. */
  expire(nowMs: number): void {
    this.tell(this.queue.expire(nowMs));
  }

  /** Nothing more is sent; the rest fails. */
  close(error: HighwaterError): void {
    this.#timer?.cancel();
    this.tell(this.queue.failAll(error));
  }

  /** Tells the waiters of failed batches. */
  tell(failed: readonly BatchFailed<BatchWaiters>[]): void {
    for (const { batch, error } of failed) {
      this.#giveBack(batch);
      batch.plan.waiters.failed(error);
      this.#host.batchOver(batch);
    }
    const isIdentityWanted =
      this.#host.isIdempotent && this.queue.sequence.identity === undefined && !this.queue.isEmpty;
    if (isIdentityWanted) this.#host.identityWanted(this);
    this.wake();
  }

  #giveBack(batch: WaitedBatch): void {
    this.#host.bytesChanged(-batch.bytesCounted);
    batch.bytesCounted = 0;
  }

  #receipt(batch: WaitedBatch, answer: WireReceipt | undefined): BatchReceipt {
    const { topicId, name } = this.topic;
    return {
      topicId,
      topic: name,
      partition: this.partition,
      acks: batch.plan.acks,
      recordCount: batch.recordCount,
      answer,
      storedLevel: this.#host.storedLevel,
    };
  }
}
