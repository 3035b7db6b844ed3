/** Who sends for each partition, as the pushed metadata says; and the pass over what waits too long. */
import { HighwaterError } from '../../proto/model/errors.ts';
import type { Clock, Timer } from '../../proto/ports/clock.ts';
import { addressOf } from '../metadata/broker-rotation.ts';
import { leaderOf } from '../metadata/cluster-view.ts';
import type { MetadataWatch } from '../metadata/metadata-watch.ts';
import type { LeaderSender } from './leader-sender.ts';
import type { PartitionProducer } from './partition-producer.ts';

/** A deposed leader that lives answers within this; then what is on its way there is given up. */
const lastWordsMs = 100;

export interface LeadersOptions {
  readonly clock: Clock;
  readonly metadata: MetadataWatch;
  readonly createSender: (address: string) => LeaderSender;
  readonly sweepMs: number;
}

export class Leaders {
  readonly #options: LeadersOptions;
  readonly #senders = new Map<string, LeaderSender>();
  readonly #partitions = new Set<PartitionProducer>();
  readonly #timers = new Set<Timer>();
  #sweepTimer: Timer | undefined;
  /** As it was at the first question of this turn. */
  #wereIdle: boolean | undefined;

  constructor(options: LeadersOptions) {
    this.#options = options;
  }

  /** Looks after a partition from here on. */
  add(partition: PartitionProducer): void {
    this.#partitions.add(partition);
    this.#assign(partition);
  }

  partitions(): Iterable<PartitionProducer> {
    return this.#partitions;
  }

  /** The metadata has changed. */
  refresh(): void {
    for (const partition of this.#partitions) this.#assign(partition);
  }

  /** No leader owed an answer when this turn began: what one turn sends to several leaders leaves together. */
  get areIdle(): boolean {
    if (this.#wereIdle === undefined) {
      this.#wereIdle = !this.#isAnyBusy();
      this.#options.clock.soon(() => {
        this.#wereIdle = undefined;
      });
    }
    return this.#wereIdle;
  }

  /** A leader owes no more answers; if none does, what gathers for any leaves. */
  becameIdle(): void {
    if (this.#isAnyBusy()) return;
    this.#wereIdle = undefined;
    for (const sender of this.#senders.values()) sender.pump();
  }

  /** Something waits: deadlines and silence are looked at until nothing does. */
  watch(): void {
    if (this.#sweepTimer !== undefined) return;
    this.#sweepTimer = this.#options.clock.after(this.#options.sweepMs, () => {
      this.#sweepTimer = undefined;
      this.#sweep();
    });
  }

  close(error: HighwaterError): void {
    this.#sweepTimer?.cancel();
    for (const timer of this.#timers) timer.cancel();
    for (const partition of this.#partitions) {
      partition.sender = undefined;
      partition.close(error);
    }
    for (const sender of this.#senders.values()) sender.close();
    this.#partitions.clear();
    this.#senders.clear();
  }

  #isAnyBusy(): boolean {
    for (const sender of this.#senders.values()) if (sender.isBusy) return true;
    return false;
  }

  #assign(partition: PartitionProducer): void {
    const { view } = this.#options.metadata;
    const { topicId } = partition.topic;
    if (!view.topicsById.has(topicId)) {
      this.#partitions.delete(partition);
      partition.sender = undefined;
      partition.close(new HighwaterError('UNKNOWN_TOPIC', `${partition.topic.name} was deleted`));
      return;
    }
    const leader = leaderOf(view, topicId, partition.partition);
    // While there is none the last one is asked on: it may not have heard, and then nothing is lost.
    if (leader === undefined) return;
    const sender = this.#senderTo(addressOf(leader.broker));
    const before = partition.sender;
    const isSame = before === sender && partition.leaderEpoch === leader.partition.leaderEpoch;
    if (isSame) return;
    partition.sender = sender;
    partition.leaderEpoch = leader.partition.leaderEpoch;
    partition.queue.leaderChanged();
    if (before !== undefined && before !== sender && partition.queue.inFlightCount > 0)
      this.#abandonLater(before, partition);
    partition.wake();
  }

  #abandonLater(before: LeaderSender, partition: PartitionProducer): void {
    const timer = this.#options.clock.after(lastWordsMs, () => {
      this.#timers.delete(timer);
      before.abandon(partition);
    });
    this.#timers.add(timer);
  }

  #senderTo(address: string): LeaderSender {
    let sender = this.#senders.get(address);
    if (sender === undefined) {
      sender = this.#options.createSender(address);
      this.#senders.set(address, sender);
    }
    return sender;
  }

  #sweep(): void {
    const nowMs = this.#options.clock.now();
    let isWaiting = false;
    for (const partition of this.#partitions) {
      partition.expire(nowMs);
      if (!partition.queue.isEmpty) isWaiting = true;
    }
    for (const sender of this.#senders.values()) sender.checkSilence(nowMs);
    if (isWaiting) this.watch();
  }
}
