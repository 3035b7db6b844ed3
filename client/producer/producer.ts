/**
 * Writes records. A record sent to an idle leader leaves at once; under load records gather into
 * batches and batches into messages. Retries keep the order and never double a record; a send fails as
 * not written only if that is certain. Awaiting `send` is all the backpressure that is needed.
 */
import type { Acks } from '../../proto/model/acks.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import { loadCompression } from '../../proto/wire/compression/codecs.ts';
import type { ClientParts } from '../client-parts.ts';
import { checkedOffset } from '../connection/checked-input.ts';
import { awaitTopic } from '../connection/known-topic.ts';
import { cancelledBefore, orAborted, untilAborted } from '../connection/waiting.ts';
import { type BarrierResult, barrierOf } from './barrier.ts';
import type { WaitingGroup } from './batch-waiters.ts';
import { BulkWriter } from './bulk-writer.ts';
import { capturePromise } from './captured-promise.ts';
import type { Leaders } from './leaders.ts';
import type { ProducerIdentities } from './producer-identity.ts';
import {
  type ProducerOptions,
  type ProducerSettings,
  producerSettings,
} from './producer-options.ts';
import type { Receipt } from './receipt.ts';
import {
  faultOf,
  levelOf,
  type ProducerRecord,
  type SendBatchOptions,
  type SendOptions,
} from './record.ts';
import type { RecordBuffer } from './record-buffer.ts';
import { SendGroup, type SentBatch } from './send-group.ts';
import type { StoredLimits, WantedLevel } from './stored-level.ts';
import type { TopicPartitions } from './topic-partitions.ts';
import { UnresolvedBatches } from './unresolved-batches.ts';
import { createWriting } from './writing.ts';

export class Producer implements AsyncDisposable {
  readonly #parts: ClientParts;
  readonly #options: ProducerSettings;
  readonly #buffer: RecordBuffer;
  readonly #leaders: Leaders;
  readonly #topics: TopicPartitions;
  readonly #identities: ProducerIdentities;
  readonly #unresolved = new UnresolvedBatches();
  readonly #stopWatching: () => void;
  readonly #stop = new AbortController();
  readonly #onClosed: () => void;
  /** Why nothing more is sent. */
  #refusal: HighwaterError | undefined;
  #isCodecLoaded: boolean;
  #closing: Promise<void> | undefined;

  constructor(parts: ClientParts, options: ProducerOptions, onClosed: () => void) {
    this.#parts = parts;
    this.#options = producerSettings(options);
    this.#onClosed = onClosed;
    this.#isCodecLoaded = this.#options.compression === 'none';
    const writing = createWriting(parts, options, {
      unresolved: this.#unresolved,
      isCodecLoaded: () => this.#isCodecLoaded,
      topicWanted: (topic) => void this.#resolveTopic(topic),
      refused: (error) => this.#refuse(error),
    });
    this.#identities = writing.identities;
    this.#leaders = writing.leaders;
    this.#topics = writing.topics;
    this.#buffer = writing.buffer;
    this.#stopWatching = parts.metadata.onChange(() => {
      this.#topics.refresh();
      this.#leaders.refresh();
    });
    if (!this.#isCodecLoaded) void this.#loadCodec();
  }

  /** Bytes of memory that records under way hold. */
  get bufferedBytes(): number {
    return this.#buffer.bytesHeld;
  }

  /**
   * Sends one record. Resolves when the level is reached. Rejects with an error whose `outcome` says
   * whether the record may have been written.
   */
  send(record: ProducerRecord, options?: SendOptions): Promise<Receipt> {
    const signal = options?.signal;
    const waiting = capturePromise();
    try {
      const acks = levelOf(options, this.#options.acks);
      this.#check(record, signal);
      const placing = this.#buffer.place(record, acks);
      if (typeof placing === 'string') {
        this.#buffer.wait(
          {
            acks,
            faultOf: () => (signal?.aborted === true ? cancelledBefore(signal) : undefined),
            placed: ({ batch, index }) => batch.plan.waiters.one(index, waiting),
            failed: waiting.reject,
          },
          record,
          placing,
        );
      } else {
        placing.batch.plan.waiters.one(placing.index, waiting);
      }
    } catch (caught) {
      waiting.reject(HighwaterError.from(caught));
    }
    return signal === undefined ? waiting.promise : orAborted(waiting.promise, signal);
  }

  /**
   * Sends many records with one promise; it rejects if any of them fails. Very many are put into batches
   * over several turns: the event loop is never held up for long, and nothing that is sent later overtakes.
   * The bytes of the records must not change until the promise settles.
   */
  async sendBatch(
    records: readonly ProducerRecord[],
    options: SendBatchOptions = {},
  ): Promise<SentBatch> {
    const acks = levelOf(options, this.#options.acks);
    const group = new SendGroup(records.length);
    const { signal } = options;
    if (options.atomic === true || options.expectedOffset !== undefined) {
      for (const record of records) this.#check(record, signal);
      await this.#placeTogether(records, { ...options, acks }, group);
    } else if (this.#refusal !== undefined) {
      group.failed(this.#refusal, records.length);
    } else {
      this.#placeAll([...records], { acks, signal }, group);
    }
    return signal === undefined ? group.promise : orAborted(group.promise, signal);
  }

  /** For many records in a row: no promise for each, errors at the next write and at the flush. */
  writer(options: Pick<SendOptions, 'acks'> = {}): BulkWriter {
    return new BulkWriter(
      {
        place: (record, acks, group) => this.#place(record, acks, group),
        flush: () => this.flush(),
      },
      levelOf(options, this.#options.acks),
    );
  }

  /** Resolves when there is room for another record. For senders that do not await `send`. */
  ready(): Promise<void> {
    return this.#buffer.roomy();
  }

  /** Resolves when everything sent before has its outcome, good or bad. */
  async flush(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const { signal } = options;
    const flushed = this.#flush();
    await (signal === undefined ? flushed : orAborted(flushed, signal));
  }

  /**
   * Flushes, then waits until everything acknowledged so far is stored by so many replicas or at a
   * level; tells for each partition how far that came in time.
   */
  async barrier(wanted: WantedLevel & StoredLimits): Promise<readonly BarrierResult[]> {
    await this.flush(wanted.signal === undefined ? {} : { signal: wanted.signal });
    return barrierOf(this.#parts, this.#leaders.partitions(), wanted);
  }

  /**
   * Waits a bounded time for what is under way, then fails the rest with CLOSED; each says whether it
   * may have been written. Always returns.
   */
  close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.timeoutMs ?? this.#options.closeTimeoutMs);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #flush(): Promise<void> {
    await this.#buffer.drained();
    await this.#unresolved.over();
  }

  async #close(timeoutMs: number): Promise<void> {
    const closed = new HighwaterError('CLOSED', 'the producer is closed', {
      outcome: 'not-written',
    });
    const { clock } = this.#parts.machine;
    this.#refusal ??= closed;
    await new Promise<void>((resolve) => {
      const timer = clock.after(timeoutMs, resolve);
      void this.#flush().then(() => {
        timer.cancel();
        resolve();
      });
    });
    this.#end(closed);
    this.#onClosed();
  }

  /** The cluster will take nothing from this producer. */
  #refuse(error: HighwaterError): void {
    this.#refusal ??= error;
    this.#end(error);
  }

  #end(error: HighwaterError): void {
    this.#stop.abort();
    this.#stopWatching();
    this.#identities.close();
    this.#buffer.close(error);
    this.#leaders.close(error);
  }

  /** One batch of its own: all of its records are written, or none. */
  async #placeTogether(
    records: readonly ProducerRecord[],
    options: SendBatchOptions & { readonly acks: Acks },
    group: WaitingGroup,
  ): Promise<void> {
    const { acks, expectedOffset, signal } = options;
    const [first] = records;
    if (first === undefined) return;
    await awaitTopic(this.#parts, first.topic, signal ?? this.#stop.signal);
    await untilAborted(this.#buffer.roomy(), signal);
    this.#check(first, signal);
    const expected = expectedOffset === undefined ? undefined : checkedOffset(expectedOffset);
    const batch = this.#buffer.placeTogether(records, acks, expected);
    records.forEach((_, index) => batch.plan.waiters.group(index, group));
  }

  /** What was sent before a close is placed all the same. */
  #placeAll(
    records: readonly ProducerRecord[],
    { acks, signal }: { readonly acks: Acks; readonly signal: AbortSignal | undefined },
    group: WaitingGroup,
  ): void {
    this.#buffer.placeAll({
      records,
      acks,
      faultOf: (record) => (signal?.aborted === true ? cancelledBefore(signal) : faultOf(record)),
      placed: ({ batch, index, count }) => batch.plan.waiters.group(index, group, count),
      failed: (error, count) => group.failed(error, count),
    });
  }

  /** Puts a record of a group into a batch; a promise if the next one has to wait for room. */
  #place(record: ProducerRecord, acks: Acks, group: WaitingGroup): Promise<void> | undefined {
    this.#check(record, undefined);
    const placing = this.#buffer.place(record, acks);
    if (typeof placing !== 'string') {
      placing.batch.plan.waiters.group(placing.index, group);
      return undefined;
    }
    this.#buffer.wait(
      {
        acks,
        faultOf: () => undefined,
        placed: ({ batch, index }) => batch.plan.waiters.group(index, group),
        failed: (error) => group.failed(error, 1),
      },
      record,
      placing,
    );
    return placing === 'full' ? this.#buffer.roomy() : undefined;
  }

  #check(record: ProducerRecord, signal: AbortSignal | undefined): void {
    if (signal?.aborted === true) throw cancelledBefore(signal);
    const fault = this.#refusal ?? faultOf(record);
    if (fault !== undefined) throw fault;
  }

  async #resolveTopic(topic: string): Promise<void> {
    try {
      await awaitTopic(this.#parts, topic, this.#stop.signal);
      this.#buffer.topicResolved(topic, undefined);
    } catch (caught) {
      this.#buffer.topicResolved(topic, HighwaterError.from(caught));
    }
  }

  async #loadCodec(): Promise<void> {
    try {
      await loadCompression(this.#options.compression);
      this.#isCodecLoaded = true;
      for (const partition of this.#leaders.partitions()) partition.wake();
    } catch (caught) {
      this.#refuse(HighwaterError.from(caught));
    }
  }
}
