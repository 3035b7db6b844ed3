/**
 * Records that wait to be put into batches, in the order in which they were sent: for room, for their
 * topic, or for the next turn.
 *
 * Invariant: none overtakes what was sent to its topic before it.
 */
import type { Acks } from '../../proto/model/acks.ts';
import type { HighwaterError } from '../../proto/model/errors.ts';
import { Queue } from '../../proto/model/queue.ts';
import type { WaitedBatch } from './partition-producer.ts';
import type { ProducerRecord } from './record.ts';

/** How records were put into a batch: one behind the other, from an index on. */
export interface Placed {
  readonly batch: WaitedBatch;
  readonly index: number;
  count: number;
}

/** How records were sent, and who is told what becomes of them. */
export interface Sending {
  readonly acks: Acks;
  /** Why a record is not to be placed: it is none, or its caller has gone. */
  faultOf(record: ProducerRecord): HighwaterError | undefined;
  placed(place: Placed): void;
  /** So many of the records will not be placed. */
  failed(error: HighwaterError, count: number): void;
}

/** Records that were sent together. */
export interface SentRecords extends Sending {
  readonly records: readonly ProducerRecord[];
}

/** An entry of the line. */
export interface Waiting {
  readonly sent: SentRecords;
  /** The record to be placed next. */
  next: number;
  /** Memory that is held only because it waits; 0 where the caller keeps the records anyway. */
  readonly bytes: number;
}

export class WaitingLine {
  readonly #line = new Queue<Waiting>();
  /** Their topic has become known: they were sent before everything else of it. */
  readonly #resolved = new Queue<Waiting>();
  readonly #byTopic = new Map<string, Waiting[]>();
  /** Flushes: how many entries are still before each. */
  #marks: { left: number; readonly resolve: () => void }[] = [];
  #onTopic: { readonly topic: string; readonly resolve: () => void }[] = [];
  #bytes = 0;

  /** True if nothing waits that could be placed, given room. */
  get isEmpty(): boolean {
    return this.#line.length === 0 && this.#resolved.length === 0;
  }

  /** Memory that is held only because it waits. */
  get bytes(): number {
    return this.#bytes;
  }

  get first(): Waiting | undefined {
    return this.#resolved.at(0) ?? this.#line.at(0);
  }

  push(waiting: Waiting): void {
    this.#bytes += waiting.bytes;
    this.#line.push(waiting);
  }

  /** All of the first entry is placed or has failed. */
  shift(): void {
    const done = this.#resolved.shift() ?? this.#line.shift();
    this.#bytes -= done?.bytes ?? 0;
    if (this.#marks.length === 0) return;
    for (const mark of this.#marks) mark.left--;
    for (const mark of this.#marks) if (mark.left <= 0) mark.resolve();
    this.#marks = this.#marks.filter((mark) => mark.left > 0);
  }

  /** True while something waits for that topic: what is sent to it waits behind. */
  awaits(topic: string): boolean {
    return this.#byTopic.size > 0 && this.#byTopic.has(topic);
  }

  /** The record waits until its topic is known. */
  pushUnknown(topic: string, waiting: Waiting): void {
    this.#bytes += waiting.bytes;
    const others = this.#byTopic.get(topic);
    if (others === undefined) this.#byTopic.set(topic, [waiting]);
    else others.push(waiting);
  }

  /** The topic is known, or there is none. */
  topicResolved(topic: string, error: HighwaterError | undefined): void {
    const waiting = this.#byTopic.get(topic);
    if (waiting === undefined) return;
    this.#byTopic.delete(topic);
    for (const one of waiting) {
      if (error === undefined) this.#resolved.push(one);
      else this.#fail(one, error);
    }
    if (error === undefined) for (const mark of this.#marks) mark.left += waiting.length;
    const asked = this.#onTopic.filter((one) => one.topic === topic);
    this.#onTopic = this.#onTopic.filter((one) => one.topic !== topic);
    for (const one of asked) one.resolve();
  }

  /** Resolves when what waits at this moment has been placed or has failed. */
  async passed(): Promise<void> {
    const topics = [...this.#byTopic.keys()];
    await Promise.all(
      topics.map((topic) => new Promise<void>((resolve) => this.#onTopic.push({ topic, resolve }))),
    );
    if (this.isEmpty) return;
    const left = this.#resolved.length + this.#line.length;
    await new Promise<void>((resolve) => this.#marks.push({ left, resolve }));
  }

  /** Fails all that waits. */
  close(error: HighwaterError): void {
    const waiting = [...this.#resolved, ...this.#line, ...[...this.#byTopic.values()].flat()];
    this.#resolved.clear();
    this.#line.clear();
    this.#byTopic.clear();
    for (const one of waiting) this.#fail(one, error);
    for (const { resolve } of [...this.#marks, ...this.#onTopic]) resolve();
    this.#marks = [];
    this.#onTopic = [];
  }

  #fail({ sent, next, bytes }: Waiting, error: HighwaterError): void {
    this.#bytes -= bytes;
    sent.failed(error, sent.records.length - next);
  }
}
