/**
 * A member of a group: records of the partitions that it is given, with commits that never run ahead of
 * what was handled. Its life does not depend on its handler: heartbeats go on however long that takes.
 *
 * Two forms. The loop: `for await (const record of consumer)`, with `commit(record)` or `autoCommit`. And
 * `run(handler, { concurrency: { byKey: n } })`, which handles keys side by side and commits by itself.
 */
import { HighwaterError } from '../../proto/model/errors.ts';
import { leaderEpoch, offsetAfter } from '../../proto/model/offset.ts';
import { listenForAbort } from '../../proto/rpc/call/abort-listener.ts';
import type { ClientParts } from '../client-parts.ts';
import { checkedOffset, invalidRequest } from '../connection/checked-input.ts';
import { cancelledBefore, pause } from '../connection/waiting.ts';
import { ReadBatch, type ReadRecord } from '../reader/read-record.ts';
import { type ConsumerOptions, consumerSettings, type TopicPartition } from './consumer-options.ts';
import { ConsumerParts } from './consumer-parts.ts';
import type { OwnedPartition } from './owned-partition.ts';
import type { Delivery } from './record-source.ts';
import { type RecordHandler, type RunOptions, runHandlers } from './run-handlers.ts';

/** How long the coordinator is given to confirm that the member has left. */
const leaveMs = 1_000;

/** A question for the next item that has no answer yet. */
interface Asked {
  /** The loop was left meanwhile. */
  isLeft: boolean;
  settled: Promise<unknown>;
}

/** Where a loop takes its items from. */
interface Items<Item> {
  atOnce(): Delivery<Item> | undefined;
  next(): Promise<Delivery<Item> | undefined>;
}

export class Consumer implements AsyncIterable<ReadRecord>, AsyncDisposable {
  readonly #clientParts: ClientParts;
  readonly #parts: ConsumerParts;
  readonly #onClosed: () => void;
  readonly #signal: AbortSignal | undefined;
  /** What the loop was given and has not come back from. */
  #underWay: Delivery<ReadRecord | ReadBatch> | undefined;
  /** Ends the run that is under way. */
  #stopRun: (() => Promise<void>) | undefined;
  #closing: Promise<void> | undefined;

  constructor(parts: ClientParts, options: ConsumerOptions, onClosed: () => void) {
    const settings = consumerSettings(options);
    this.#clientParts = parts;
    this.#onClosed = onClosed;
    this.#signal = settings.signal;
    this.#parts = new ConsumerParts(parts, settings);
    if (this.#signal !== undefined) listenForAbort(this.#signal, this.#onAbort);
    if (this.#signal?.aborted === true) this.#onAbort();
    else this.#parts.begin();
  }

  /** This member's id, as `group describe` shows it. */
  get member(): string {
    return this.#parts.membership.member;
  }

  /** The partitions that this member holds at present. */
  get assignment(): TopicPartition[] {
    return Array.from(this.#parts.holder.owned(), (owned) => owned.place);
  }

  /** Bytes received and not yet handed out. */
  get bufferedBytes(): number {
    return this.#parts.reads.queue.bytes;
  }

  /**
   * Records one by one. Asking for the next one says that the one before is handled; leaving the loop
   * does not, and the next loop begins with it again.
   */
  [Symbol.asyncIterator](): AsyncIterator<ReadRecord> {
    const { source } = this.#parts;
    return this.#iterate({
      atOnce: () => source.recordAtOnce(),
      next: () => source.nextRecord(),
    });
  }

  /** Whole batches, for bulk. */
  batches(): AsyncIterable<ReadBatch> {
    return {
      [Symbol.asyncIterator]: () =>
        this.#iterate({ atOnce: () => undefined, next: () => this.#parts.source.nextBatch() }),
    };
  }

  /**
   * Handles every record, keys side by side if asked for, and commits what is handled. Resolves when the
   * consumer is closed; rejects with what a handler threw, unless it went to the dead-letter topic.
   */
  async run(handler: RecordHandler, options: RunOptions = {}): Promise<void> {
    if (this.#stopRun !== undefined) throw invalidRequest('this consumer is running a handler');
    const run = runHandlers(this.#clientParts, this.#parts, handler, options);
    this.#stopRun = () => run.stop();
    try {
      await run.ended;
    } finally {
      this.#stopRun = undefined;
    }
  }

  /**
   * Commits that the record, and everything before it in its partition, is handled; without one, whatever
   * the loop has finished. Resolves once every in-sync replica has it. Rejects with STALE_GENERATION where
   * the partition has gone to another member: the record will be handled there again. What is committed is
   * not handed out again here, also where the loop was left in the middle of it.
   */
  async commit(handled?: ReadRecord | ReadBatch): Promise<void> {
    const { holder, committer } = this.#parts;
    if (handled === undefined) return this.#parts.commitFinished();
    const owned = holder.find(handled.topic, handled.partition);
    const last = checkedOffset(handled instanceof ReadBatch ? handled.lastOffset : handled.offset);
    const end = offsetAfter(last, 1);
    if (owned === undefined || !owned.hasReached(end)) {
      throw notHeld(handled, { offset: last });
    }
    const epoch = leaderEpoch(Math.max(0, Number(handled.leaderEpoch)));
    const upTo = { offset: end, leaderEpoch: epoch };
    if (this.#underWay?.owned === owned && this.#underWay.offset <= last) this.#finishUnderWay();
    if (end > owned.next.offset && !owned.isClosed)
      holder.readAnew(owned, () => owned.goOnBehind(upTo));
    await committer.commit(owned, upTo);
  }

  /** Stops reading these partitions, or all of them; they stay with this member. */
  pause(partitions?: readonly TopicPartition[]): void {
    for (const owned of this.#chosen(partitions)) {
      owned.isPaused = true;
      this.#parts.holder.stopReading(owned);
    }
  }

  /** Goes on where `pause` stopped. */
  resume(partitions?: readonly TopicPartition[]): void {
    for (const owned of this.#chosen(partitions)) {
      if (!owned.isPaused || owned.isClosed) continue;
      owned.isPaused = false;
      this.#parts.holder.read(owned);
    }
  }

  /** Goes on at another offset of a partition that this member holds. Commits follow from there. */
  seek(place: TopicPartition & { readonly offset: bigint }): void {
    const offset = checkedOffset(place.offset);
    for (const owned of this.#chosen([place])) {
      this.#parts.holder.readAnew(owned, () => owned.moveTo({ offset, epoch: undefined }));
    }
  }

  /** Commits what is handled, leaves the group and ends every loop. Always returns, in bounded time. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** One settled promise for an item that is at hand, and nothing else. */
  #iterate<Item extends ReadRecord | ReadBatch>(items: Items<Item>): AsyncIterator<Item> {
    let asked: Asked | undefined;
    const later = async (asking: Asked): Promise<IteratorResult<Item>> => {
      const delivery = await items.next().finally(() => {
        asked = undefined;
      });
      if (delivery === undefined) return { value: undefined, done: true };
      if (asking.isLeft) {
        this.#handBack(delivery);
        return { value: undefined, done: true };
      }
      this.#underWay = delivery;
      return { value: delivery.item, done: false };
    };
    return {
      next: () => {
        this.#finishUnderWay();
        const delivery = items.atOnce();
        if (delivery === undefined) {
          asked = { isLeft: false, settled: Promise.resolve() };
          const answer = later(asked);
          asked.settled = answer;
          return answer;
        }
        this.#underWay = delivery;
        return Promise.resolve({ value: delivery.item, done: false });
      },
      return: async () => {
        if (asked !== undefined) await this.#unask(asked);
        this.#rewind();
        return { value: undefined, done: true };
      },
    };
  }

  /** A loop that was left while it waited takes nothing more: it would be handled by nobody. */
  async #unask(asked: Asked): Promise<void> {
    const { source } = this.#parts;
    asked.isLeft = true;
    source.interrupt();
    await asked.settled.catch(() => undefined);
    source.goOn();
  }

  #finishUnderWay(): void {
    const delivery = this.#underWay;
    this.#underWay = undefined;
    delivery?.owned.finish(delivery.tracker, delivery.offset);
  }

  /** The loop was left in the middle of a record: it is handed out again, here or elsewhere. */
  #rewind(): void {
    const delivery = this.#underWay;
    this.#underWay = undefined;
    if (delivery !== undefined) this.#handBack(delivery);
  }

  #handBack({ owned, tracker, offset, first }: Delivery<ReadRecord | ReadBatch>): void {
    owned.abandon(tracker, offset);
    if (owned.isClosed || owned.tracker !== tracker || this.#closing !== undefined) return;
    const start = { offset: first, epoch: undefined };
    this.#parts.holder.readAnew(owned, () => owned.goBackTo(start));
  }

  #chosen(partitions: readonly TopicPartition[] | undefined): OwnedPartition[] {
    const { holder } = this.#parts;
    if (partitions === undefined) return [...holder.owned()];
    return partitions.map(({ topic, partition }) => {
      const owned = holder.find(topic, partition);
      if (owned !== undefined) return owned;
      throw notHeld({ topic, partition });
    });
  }

  readonly #onAbort = (): void => {
    const signal = this.#signal;
    if (signal !== undefined) this.#parts.source.finish(cancelledBefore(signal));
    void this.close();
  };

  async #close(): Promise<void> {
    const { settings, source, membership } = this.#parts;
    const { clock } = this.#clientParts.machine;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    source.finish();
    const late = pause(clock, settings.closeTimeoutMs, this.#parts.signal).catch(() => undefined);
    await Promise.race([this.#settle(), late]);
    await membership.leave(leaveMs);
    this.#parts.close();
    this.#onClosed();
  }

  async #settle(): Promise<void> {
    await this.#stopRun?.();
    if (this.#parts.commitsFinished()) await this.#parts.commitFinished().catch(() => undefined);
    const { holder, committer } = this.#parts;
    await Promise.all(Array.from(holder.owned(), (owned) => committer.settled(owned.key)));
  }
}

function notHeld(
  { topic, partition }: TopicPartition,
  facts: { readonly offset?: number } = {},
): HighwaterError {
  return new HighwaterError('STALE_GENERATION', `this member does not hold ${topic}/${partition}`, {
    facts: { topic, partition, ...facts },
  });
}
