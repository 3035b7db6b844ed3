/**
 * A consumer group over the production client: members come, handle records, commit, leave in order or
 * crash, while the cluster breaks.
 *
 * Every record is handled at least once: a record is only handed to a member once all before it were
 * handled by somebody. Committed offsets never go back: who takes a partition over begins nowhere below
 * what somebody was told to be committed, and at the end the coordinator still has it.
 */
import { type Client, openClient } from '../../../client/client.ts';
import type { ConsumerEvent } from '../../../client/consumer/consumer-options.ts';
import type { ReadRecord } from '../../../client/reader/read-record.ts';
import { HighwaterError } from '../../../proto/model/errors.ts';
import type { SeededRandom } from '../../../proto/ports/memory/seeded-random.ts';
import { GroupProgress } from '../checkers/group-progress.ts';
import type { GroupPlan } from './cluster-swarm.ts';
import type { SimCluster } from './sim-cluster.ts';

const connectMs = 120_000;

export interface SimGroupOptions {
  readonly name: string;
  readonly plan: GroupPlan;
  readonly topics: readonly string[];
  /** The highest watermark so far of a partition of a topic. */
  readonly watermark: (topic: string, partition: number) => number;
}

export class SimGroup {
  readonly #cluster: SimCluster;
  readonly #options: SimGroupOptions;
  readonly #progress: GroupProgress;
  /** The members that are connected, by the host they are on. */
  readonly #clients = new Map<string, Client>();
  #isCalm = false;
  #isOver = false;

  constructor(cluster: SimCluster, options: SimGroupOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.#progress = new GroupProgress(options.name);
  }

  /** True if everything below the watermarks was handled. */
  get isLevel(): boolean {
    const { topics, watermark } = this.#options;
    return this.#cluster
      .partitions()
      .filter(({ topic }) => topics.includes(topic.name))
      .every(
        ({ topic, state }) =>
          this.#progress.handled(`${topic.name}/${state.partition}`) ===
          watermark(topic.name, state.partition),
      );
  }

  async run(): Promise<void> {
    const { members } = this.#options.plan;
    await Promise.all(Array.from({ length: members }, (_, index) => this.#member(index + 1)));
  }

  /** Members stay from here on. */
  calm(): void {
    this.#isCalm = true;
  }

  stop(): void {
    this.#isOver = true;
    for (const client of this.#clients.values()) void client.close();
  }

  /** What the coordinator has committed is what was told to be. */
  async auditCommits(): Promise<void> {
    const { name } = this.#options;
    const machine = this.#cluster.clientMachine(`audit ${name}`);
    const client = await openClient(machine, { brokers: this.#cluster.addresses });
    const { partitions } = await client.groups.describe(name);
    for (const { topic, partition, committed } of partitions)
      this.#progress.found(`${topic}/${partition}`, Number(committed ?? 0n));
    await client.close();
  }

  /** One member after the other in the same place. */
  async #member(number: number): Promise<void> {
    const { name, plan } = this.#options;
    const { world } = this.#cluster;
    for (let life = 1; !this.#isOver; life++) {
      const host = `${name}-${number}.${life}`;
      const random = world.random.fork(`life of ${host}`);
      const machine = this.#cluster.clientMachine(host);
      const lived = this.#live(host, machine, random);
      const isToCrash = random.below(2) === 0;
      const ended = await this.#endOf(lived, 1 + random.below(2 * plan.lifeMs));
      if (this.#isOver) continue;
      const client = this.#clients.get(host);
      this.#clients.delete(host);
      if (ended) {
        // Nobody handles what it holds any more.
        await client?.close();
        continue;
      }
      if (client === undefined || isToCrash) this.#cluster.crashClient(host);
      else await client.close();
      world.reach(isToCrash ? 'group member crashed' : 'group member left');
    }
  }

  /** Whether the member ended by itself before its time; a calm one has no time. */
  async #endOf(lived: Promise<void>, ms: number): Promise<boolean> {
    let isEnded = false;
    const end = lived.then(() => {
      isEnded = true;
    });
    await Promise.race([end, this.#cluster.world.sleep(ms)]);
    if (this.#isCalm) await end;
    return isEnded;
  }

  async #live(
    host: string,
    machine: ReturnType<SimCluster['clientMachine']>,
    random: SeededRandom,
  ): Promise<void> {
    const { name, topics, plan } = this.#options;
    const { world, addresses } = this.#cluster;
    try {
      const client = await openClient(machine, { brokers: addresses, connectTimeoutMs: connectMs });
      this.#clients.set(host, client);
      const consumer = client.consumer({
        group: name,
        topics,
        from: 'earliest',
        sessionTimeoutMs: plan.sessionMs,
        onEvent: (event) => this.#happened(host, event),
      });
      for await (const record of consumer) {
        this.#take(host, record);
        if (random.below(4) === 0) await this.#commit(consumer, record);
      }
    } catch (caught) {
      world.reach(`group member ${HighwaterError.from(caught).code}`);
      await world.sleep(200);
    }
  }

  async #commit(consumer: ReturnType<Client['consumer']>, record: ReadRecord): Promise<void> {
    const { world } = this.#cluster;
    try {
      await consumer.commit(record);
      this.#progress.committed(`${record.topic}/${record.partition}`, Number(record.offset) + 1);
      world.reach('group commit');
    } catch (caught) {
      world.reach(`group commit ${HighwaterError.from(caught).code}`);
    }
  }

  #happened(host: string, event: ConsumerEvent): void {
    this.#cluster.world.reach(`group ${event.kind}`);
    if (event.kind !== 'assigned') return;
    for (const { topic, partition } of event.partitions)
      this.#progress.assigned(host, `${topic}/${partition}`);
  }

  #take(host: string, { topic, partition, offset }: ReadRecord): void {
    const problem = this.#progress.take(host, `${topic}/${partition}`, Number(offset));
    if (problem !== undefined) this.#cluster.world.fail('group-progress', problem);
  }
}
