/**
 * A client that reads a topic from its beginning and follows it, from the leader or any replica, with
 * the production client library.
 *
 * S17: it sees nothing above the watermark. S16: an offset has one value for ever, whoever reads it and
 * whenever; and offsets come in order, without a hole.
 */

import { openClient } from '../../../client/client.ts';
import type { ReadRecord } from '../../../client/reader/read-record.ts';
import { HighwaterError } from '../../../proto/model/errors.ts';
import type { SimCluster } from './sim-cluster.ts';

export type ReadFrom = 'leader' | 'nearest' | number;

/** All that any reader has seen: by `topic/partition` and offset. */
export class SeenRecords {
  readonly values = new Map<string, Map<number, string>>();
  count = 0;

  /** What was seen at the offset before, if it was another. */
  see(place: string, offset: number, value: string): string | undefined {
    let seen = this.values.get(place);
    if (seen === undefined) this.values.set(place, (seen = new Map<number, string>()));
    const known = seen.get(offset);
    seen.set(offset, known ?? value);
    this.count++;
    return known === value ? undefined : known;
  }
}

export interface SimReaderOptions {
  readonly number: number;
  readonly topic: string;
  readonly readFrom: ReadFrom;
  readonly seen: SeenRecords;
  /** The highest watermark so far of a partition of the topic. */
  readonly watermark: (topic: string, partition: number) => number;
}

export class SimReader {
  readonly #cluster: SimCluster;
  readonly #options: SimReaderOptions;
  /** The next offset of each partition. */
  readonly #next = new Map<number, number>();
  readonly #stop = new AbortController();

  constructor(cluster: SimCluster, options: SimReaderOptions) {
    this.#cluster = cluster;
    this.#options = options;
  }

  /** True if everything below the watermarks was read, of what is where it reads. */
  get isLevel(): boolean {
    const { topic, watermark, readFrom } = this.#options;
    return this.#cluster
      .partitions()
      .filter((one) => one.topic.name === topic)
      .every(({ state }) => {
        if (typeof readFrom === 'number' && !state.replicas.some((one) => one === readFrom))
          return true;
        const end = watermark(topic, state.partition);
        return end === 0 || this.#next.get(state.partition) === end;
      });
  }

  async run(): Promise<void> {
    const { number, topic } = this.#options;
    let { readFrom } = this.#options;
    const { world } = this.#cluster;
    const client = await openClient(this.#cluster.clientMachine(`reader-${number}`), {
      brokers: this.#cluster.addresses,
      connectTimeoutMs: 120_000,
    });
    const { signal } = this.#stop;
    while (!signal.aborted) {
      this.#next.clear();
      try {
        for await (const record of client.reader({ topic, from: 'earliest', readFrom, signal }))
          this.#take(record);
      } catch (caught) {
        if (signal.aborted) break;
        const { code } = HighwaterError.from(caught);
        world.reach(`reader ${code}`);
        // The node does not hold a replica of every partition, and a reader of all is told so.
        if (code === 'INVALID_REQUEST') readFrom = 'nearest';
        await world.sleep(200);
      }
    }
    await client.close();
  }

  stop(): void {
    this.#stop.abort();
  }

  #take(record: ReadRecord): void {
    const { world } = this.#cluster;
    const { topic, seen, watermark, readFrom } = this.#options;
    const place = `${topic}/${record.partition}`;
    const offset = Number(record.offset);
    const before = this.#next.get(record.partition) ?? 0;
    if (offset !== before)
      world.fail('reads-in-order', `${place}: ${offset} was read where ${before} was next`);
    if (offset >= watermark(topic, record.partition))
      world.fail('reads-below-watermark', `${place}: ${offset} was read from ${readFrom}`);
    const other = seen.see(place, offset, record.text());
    if (other !== undefined)
      world.fail(
        'reads-agree',
        `${place}: ${record.text()} was read at ${offset}, before ${other}`,
      );
    this.#next.set(record.partition, offset + 1);
  }
}
