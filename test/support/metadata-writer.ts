/**
 * Clients that change metadata one change after the other, come what may, and keep the history. Each
 * writes rising numbers to a setting of a topic of its own; now and then it creates a topic. A number
 * is written once, so the log of the controllers shows what was lost and what was applied twice.
 */
import type { Client } from '../../client/index.ts';
import { HighwaterError } from '../../proto/model/errors.ts';

/** Everything that one writer was told. */
export interface MetadataHistory {
  readonly topic: string;
  topicId: string;
  /** Numbers that were acknowledged, in order. */
  readonly set: number[];
  /** Topics whose creation was acknowledged. */
  readonly created: string[];
  /** Changes with another end, by code. A topic that exists although its name is fresh was created twice. */
  readonly failures: Map<string, number>;
}

const createEvery = 25;

export class MetadataWriter {
  readonly history: MetadataHistory;
  readonly #client: Client;
  readonly #running: Promise<void>;
  #next = 1;
  #acknowledged = 0;
  #lastAckAt = performance.now();
  #longestGapMs = 0;
  #isStopping = false;

  constructor(client: Client, topic: string) {
    this.#client = client;
    this.history = { topic, topicId: '', set: [], created: [], failures: new Map() };
    this.#running = this.#run();
  }

  /** The longest time without an acknowledgement since the last call, the present one included. */
  takeLongestGapMs(): number {
    const now = performance.now();
    const longest = Math.max(this.#longestGapMs, now - this.#lastAckAt);
    this.#longestGapMs = 0;
    // The time before the call belongs to the gap that was taken.
    this.#lastAckAt = now;
    return longest;
  }

  /** Resolves once so many more changes are acknowledged. */
  async acknowledges(more: number, withinMs = 30_000): Promise<void> {
    const wanted = this.#acknowledged + more;
    const deadline = performance.now() + withinMs;
    while (this.#acknowledged < wanted) {
      if (performance.now() > deadline)
        throw new Error(
          `${this.history.topic}: ${wanted - this.#acknowledged} changes are not acknowledged within ${withinMs} ms`,
        );
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Resolves once the last change has ended. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    const { topic } = this.history;
    const spec = { name: topic, partitions: 1, replicationFactor: 1 };
    const { topicId } = await this.#client.admin.createTopic(spec);
    this.history.topicId = topicId;
    while (!this.#isStopping) await this.#change(this.#next++);
  }

  async #change(number: number): Promise<void> {
    const { topic, set, created, failures } = this.history;
    try {
      if (number % createEvery === 0) {
        const name = `${topic}-${number}`;
        await this.#client.admin.createTopic({ name, partitions: 1, replicationFactor: 1 });
        created.push(name);
      } else {
        await this.#client.admin.alterTopic(topic, { 'retention.ms': String(number) });
        set.push(number);
      }
      this.#acknowledge();
    } catch (caught) {
      const { code } = HighwaterError.from(caught);
      failures.set(code, (failures.get(code) ?? 0) + 1);
    }
  }

  #acknowledge(): void {
    const now = performance.now();
    this.#longestGapMs = Math.max(this.#longestGapMs, now - this.#lastAckAt);
    this.#lastAckAt = now;
    this.#acknowledged++;
  }
}
