/**
 * A producer that sends a record every few milliseconds, come what may, and keeps the history: what was
 * acknowledged, what failed and how, and the longest time without an acknowledgement.
 */
import type { Acks, Client, Producer, ProducerOptions } from '../../../client/index.ts';
import { HighwaterError } from '../../../proto/model/errors.ts';
import { History } from './history.ts';

export interface SteadyWriterOptions {
  readonly topic: string;
  readonly partition?: number;
  readonly acks?: Acks;
  readonly everyMs?: number;
  readonly valueBytes?: number;
  readonly producer?: ProducerOptions;
  /** Called for each acknowledged record, with the time it took. */
  readonly onAcknowledged?: (tookMs: number) => void;
}

export class SteadyWriter {
  readonly history = new History();
  /** Failed sends by code and outcome. */
  readonly failures = new Map<string, number>();
  readonly #options: SteadyWriterOptions;
  readonly #producer: Producer;
  readonly #timer: NodeJS.Timeout;
  #acknowledged = 0;
  #lastAckAt = performance.now();
  #longestGapMs = 0;
  #isStopped = false;

  constructor(client: Client, options: SteadyWriterOptions) {
    this.#options = options;
    this.#producer = client.producer(options.producer);
    this.#timer = setInterval(() => this.#send(), options.everyMs ?? 2);
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  get failed(): number {
    let count = 0;
    for (const times of this.failures.values()) count += times;
    return count;
  }

  /** The longest time without an acknowledgement since the last call, the present one included. */
  takeLongestGapMs(): number {
    const now = performance.now();
    const gap = Math.max(this.#longestGapMs, now - this.#lastAckAt);
    this.#longestGapMs = 0;
    this.#lastAckAt = now;
    return gap;
  }

  /** Resolves once that many more records are acknowledged. */
  async acknowledges(count: number, withinMs = 20_000): Promise<void> {
    const goal = this.#acknowledged + count;
    const deadline = performance.now() + withinMs;
    while (this.#acknowledged < goal) {
      if (this.#isStopped) throw new HighwaterError('CLOSED', 'the writer was stopped');
      if (performance.now() > deadline)
        throw new HighwaterError(
          'DEADLINE_EXCEEDED',
          `${goal - this.#acknowledged} acknowledgements are missing after ${withinMs} ms; failures: ${JSON.stringify([...this.failures])}`,
        );
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Stops to send; resolves when every send has its outcome. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#isStopped = true;
    await this.#producer.flush({ signal: AbortSignal.timeout(30_000) });
    await this.#producer.close();
  }

  #send(): void {
    const { topic, partition = 0, acks = 'all', valueBytes = 100 } = this.#options;
    const value = this.history.next(filler(valueBytes));
    const sentAt = performance.now();
    this.#producer.send({ topic, partition, value }, { acks }).then(
      (receipt) => {
        this.history.acknowledged(value, receipt.offset);
        this.#acknowledged++;
        const now = performance.now();
        this.#longestGapMs = Math.max(this.#longestGapMs, now - this.#lastAckAt);
        this.#lastAckAt = now;
        this.#options.onAcknowledged?.(now - sentAt);
      },
      (caught: unknown) => {
        const { code, outcome } = HighwaterError.from(caught);
        this.history.failed(value, outcome === 'not-written' ? 'not-written' : 'maybe-written');
        const kind = `${code} ${outcome ?? ''}`.trim();
        this.failures.set(kind, (this.failures.get(kind) ?? 0) + 1);
      },
    );
  }
}

function filler(bytes: number): string {
  let text = '';
  while (text.length < bytes) text += Math.random().toString(36).slice(2);
  return text.slice(0, bytes);
}
