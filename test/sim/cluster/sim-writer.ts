/**
 * A client that writes for as long as the run lasts: the production client library over the memory
 * network. It keeps what it was told in the ledger.
 */

import { type Client, openClient } from '../../../client/client.ts';
import type { Producer } from '../../../client/index.ts';
import { HighwaterError } from '../../../proto/model/errors.ts';
import type { Clock } from '../../../proto/ports/clock.ts';
import type { SeededRandom } from '../../../proto/ports/memory/seeded-random.ts';
import type { WriterPlan } from './cluster-swarm.ts';
import type { Ledger, SentRecord } from './ledger.ts';
import type { SimCluster } from './sim-cluster.ts';

/** Sends under way at which a writer waits. */
const underWayMax = 100;

export interface WriterTarget {
  readonly topic: string;
  readonly partitions: number;
}

export interface SimWriterOptions {
  readonly number: number;
  readonly plan: WriterPlan;
  readonly ledger: Ledger;
  readonly targets: readonly WriterTarget[];
  /** How many keys its records have; without keys where this is left out. */
  readonly keys?: number;
  /** What the ledger calls the topic; its name where this is left out. */
  readonly nameOf?: (topic: string) => string;
}

export class SimWriter {
  readonly #cluster: SimCluster;
  readonly #number: number;
  readonly #plan: WriterPlan;
  readonly #ledger: Ledger;
  readonly #targets: readonly WriterTarget[];
  readonly #nameOf: (topic: string) => string;
  readonly #keys: number;
  readonly #random: SeededRandom;
  readonly #clock: Clock;
  #client: Client | undefined;
  #producer: Producer | undefined;
  #sent = 0;
  #underWay = 0;
  #isOver = false;

  constructor(cluster: SimCluster, options: SimWriterOptions) {
    this.#cluster = cluster;
    this.#number = options.number;
    this.#plan = options.plan;
    this.#ledger = options.ledger;
    this.#targets = options.targets;
    this.#nameOf = options.nameOf ?? ((topic) => topic);
    this.#keys = options.keys ?? 0;
    this.#random = cluster.world.random.fork(`writer ${options.number}`);
    this.#clock = cluster.world.time.clock;
  }

  /** It has found the cluster and can write. */
  get isConnected(): boolean {
    return this.#producer !== undefined;
  }

  get underWay(): number {
    return this.#underWay;
  }

  async run(): Promise<void> {
    const machine = this.#cluster.clientMachine(`writer-${this.#number}`);
    this.#client = await openClient(machine, {
      brokers: this.#cluster.addresses,
      connectTimeoutMs: 120_000,
    });
    this.#producer = this.#client.producer();
    while (!this.#isOver) {
      if (this.#underWay < underWayMax) this.#send(this.#drawLevel());
      await this.#sleep(1 + this.#random.below(2 * this.#plan.everyMs));
    }
  }

  stop(): void {
    this.#isOver = true;
  }

  /** What its producer holds in memory. */
  get bufferedBytes(): number {
    return this.#producer?.bufferedBytes ?? 0;
  }

  /** Its client, once it has found the cluster. */
  get client(): Client | undefined {
    return this.#client;
  }

  async close(): Promise<void> {
    await this.#client?.close();
  }

  /** One more record at `all` to each partition; resolves to whether all were acknowledged. */
  async probe(): Promise<boolean> {
    const fates = this.#targets.flatMap(({ topic, partitions }) =>
      Array.from({ length: partitions }, (_, partition) => this.#probe(topic, partition)),
    );
    return (await Promise.all(fates)).every(Boolean);
  }

  /**
   * A leader that has not heard of its end may take the first one. The next leader refuses it then, if what
   * this writer was acknowledged at `leader` before it is lost: its sequence is. The second goes on anew.
   */
  async #probe(topic: string, partition: number): Promise<boolean> {
    const { fate } = await this.#deliver(topic, partition, 'all');
    if (fate !== 'maybe-written') return fate === 'acknowledged';
    return (await this.#deliver(topic, partition, 'all')).fate === 'acknowledged';
  }

  /** One record, to ask which topic of that name its producer knows; undefined if it was not told. */
  async topicWrittenTo(topic: string): Promise<string | undefined> {
    return (await this.#deliver(topic, 0, 'leader')).topicId;
  }

  #drawLevel(): SentRecord['acks'] {
    const { levels } = this.#plan;
    return levels[this.#random.below(levels.length)] ?? 'all';
  }

  #send(acks: SentRecord['acks']): void {
    const target = this.#targets[this.#random.below(this.#targets.length)];
    if (target === undefined) return;
    void this.#deliver(target.topic, this.#random.below(target.partitions), acks);
  }

  async #deliver(topic: string, partition: number, acks: SentRecord['acks']): Promise<SentRecord> {
    const { world } = this.#cluster;
    const number = ++this.#sent;
    const filler = 'x'.repeat(this.#random.below(this.#plan.valueBytes));
    const value = `${this.#number}-${number} ${filler}`;
    const record: SentRecord = {
      value,
      place: `${this.#nameOf(topic)}/${partition}`,
      key: this.#keys === 0 ? undefined : `k${this.#random.below(this.#keys)}`,
      writer: this.#number,
      number,
      acks,
      fate: 'under-way',
      offset: undefined,
      topicId: undefined,
    };
    this.#ledger.sent(record);
    this.#underWay++;
    try {
      const key = record.key ?? null;
      const receipt = await this.#producer?.send({ topic, partition, key, value }, { acks });
      if (receipt === undefined) throw new HighwaterError('CLOSED', 'no producer');
      record.topicId = receipt.topicId;
      this.#ledger.acknowledge(record, Number(receipt.offset), receipt.isDegraded);
      world.note(`ack ${value.split(' ', 1)[0]} ${acks} ${record.place} ${receipt.offset}`);
      world.reach(`ack ${acks}`);
      if (receipt.isDuplicate) world.reach('retry answered as a duplicate');
      if (receipt.isDegraded) world.reach('semi-sync degraded ack');
    } catch (caught) {
      const { code, outcome } = HighwaterError.from(caught);
      record.fate = outcome === 'not-written' ? 'not-written' : 'maybe-written';
      world.note(`nak ${value.split(' ', 1)[0]} ${acks} ${record.place} ${code} ${outcome}`);
      world.reach(`send ${code} ${record.fate}`);
    }
    this.#underWay--;
    return record;
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.after(ms, resolve);
    });
  }
}
