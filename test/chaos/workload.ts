/**
 * The clients of a run: one producer and one reader for each partition, at it all the time, each with a
 * client of its own. What they do and are told becomes the history.
 */
import { type Acks, type Client, connect, type Producer } from '../../client/index.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import type { Operation, Outcome } from './history/operation.ts';

export interface WorkloadOptions {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly partition: number;
  readonly acks: Acks;
  readonly everyMs: number;
  readonly record: (operation: Operation) => void;
}

/** The name under which a partition stands in the history. */
export function partitionName(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}

export class ChaosProducer {
  readonly #options: WorkloadOptions;
  readonly #client: Client;
  readonly #producer: Producer;
  readonly #timer: NodeJS.Timeout;
  readonly #name: string;
  #doubts = 0;
  #sent = 0;

  private constructor(options: WorkloadOptions, client: Client) {
    this.#options = options;
    this.#client = client;
    this.#producer = client.producer({ acks: options.acks, deliveryTimeoutMs: 20_000 });
    this.#name = `producer-${partitionName(options.topic, options.partition)}`;
    this.#timer = setInterval(() => void this.#send(), options.everyMs);
  }

  static async start(options: WorkloadOptions): Promise<ChaosProducer> {
    return new ChaosProducer(options, await connect({ brokers: options.brokers }));
  }

  /** Resolves when every send has its outcome. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#producer.flush({ signal: AbortSignal.timeout(60_000) }).catch(() => undefined);
    await this.#producer.close();
    await this.#client.close();
  }

  async #send(): Promise<void> {
    const { topic, partition, record } = this.#options;
    const process = `${this.#name}-${this.#doubts}`;
    const value = `${this.#name}-${this.#sent++}`;
    const invokedMs = performance.now();
    const tell = (outcome: Outcome, told: object = {}): void => {
      const times = { invokedMs, completedMs: performance.now() };
      const name = partitionName(topic, partition);
      record({ kind: 'send', process, partition: name, value, ...times, outcome, ...told });
    };
    try {
      const receipt = await this.#producer.send({ topic, partition, value });
      tell('ok', { offset: Number(receipt.offset), leaderEpoch: receipt.leaderEpoch });
    } catch (caught) {
      const { outcome } = HighwaterError.from(caught);
      if (outcome === 'not-written') return tell('fail');
      this.#doubts++;
      tell('info');
    }
  }
}

/** Follows a partition from its start, from any replica; a failed read goes on where it stood. */
export class ChaosReader {
  readonly #options: WorkloadOptions;
  readonly #client: Client;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #next = 0n;

  private constructor(options: WorkloadOptions, client: Client) {
    this.#options = options;
    this.#client = client;
    this.#running = this.#run();
  }

  static async start(options: WorkloadOptions): Promise<ChaosReader> {
    return new ChaosReader(options, await connect({ brokers: options.brokers }));
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#client.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#follow();
      } catch (caught) {
        const { code } = HighwaterError.from(caught);
        // What was read and is gone can only be at a level that allows it: read it anew.
        if (code === 'POSITION_LOST' || code === 'OFFSET_OUT_OF_RANGE') this.#restart();
        if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  #restart(): void {
    const { topic, partition, record } = this.#options;
    this.#next = 0n;
    record({ kind: 'assign', process: this.#process, partition: partitionName(topic, partition) });
  }

  get #process(): string {
    return `reader-${partitionName(this.#options.topic, this.#options.partition)}`;
  }

  async #follow(): Promise<void> {
    const { topic, partition, record } = this.#options;
    const { signal } = this.#stop;
    const from = { offset: this.#next };
    const reader = this.#client.reader({ topic, partition, from, readFrom: 'nearest', signal });
    let invokedMs = performance.now();
    for await (const batch of reader.batches()) {
      const records = [...batch]
        .filter(({ offset }) => offset >= this.#next)
        .map(({ offset, value }) => ({
          offset: Number(offset),
          value: (value ?? Buffer.alloc(0)).toString(),
        }));
      this.#next = batch.lastOffset + 1n;
      const times = { invokedMs, completedMs: performance.now() };
      const name = partitionName(topic, partition);
      record({ kind: 'poll', process: this.#process, partition: name, ...times, records });
      invokedMs = performance.now();
    }
  }
}
