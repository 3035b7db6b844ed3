/**
 * Somebody who administers the cluster while it breaks: moves leaders and replicas, drains brokers and
 * changes settings, over the production client. Whatever is asked for may fail; none of it may cost a
 * record, and what was begun has to come to its end once everything works.
 */
import { type Client, openClient } from '../../../client/client.ts';
import { HighwaterError } from '../../../proto/model/errors.ts';
import type { SeededRandom } from '../../../proto/ports/memory/seeded-random.ts';
import type { ClusterSwarm, TopicPlan } from './cluster-swarm.ts';
import type { SimCluster } from './sim-cluster.ts';

const limits = { timeoutMs: 5_000 };

export class SimOperator {
  readonly #cluster: SimCluster;
  readonly #swarm: ClusterSwarm;
  readonly #random: SeededRandom;
  readonly #drained = new Set<number>();
  #client: Client | undefined;
  #isOver = false;

  constructor(cluster: SimCluster, swarm: ClusterSwarm) {
    this.#cluster = cluster;
    this.#swarm = swarm;
    this.#random = cluster.world.random.fork('operator');
  }

  async run(): Promise<void> {
    if (this.#swarm.operatorEveryMs === 0) return;
    const { world } = this.#cluster;
    this.#client = await openClient(this.#cluster.clientMachine('operator'), {
      brokers: this.#cluster.addresses,
      connectTimeoutMs: 120_000,
    });
    while (!this.#isOver) {
      await world.sleep(1 + this.#random.below(2 * this.#swarm.operatorEveryMs));
      if (!this.#isOver) await this.#act();
    }
    for (const node of this.#drained) await this.#undoDrain(node);
    await this.#client.close();
  }

  /** What it has begun it ends: drained brokers lead again. */
  stop(): void {
    this.#isOver = true;
  }

  async #act(): Promise<unknown> {
    const brokers = this.#cluster.brokers.map((node) => Number(node.id));
    const plan = this.#one(this.#swarm.topics);
    const target = { topic: plan.name, partition: this.#random.below(plan.partitions) };
    const node = this.#one(brokers);
    const admin = this.#client?.admin;
    switch (this.#random.below(6)) {
      case 0:
        return this.#ask('elect', () => admin?.elect(target, { leader: node, ...limits }));
      case 1:
        return this.#ask('elect preferred', () => admin?.elect(target, limits));
      case 2: {
        const replicas = this.#some(brokers, plan.replicationFactor);
        return this.#ask('reassign', () => admin?.reassign(target, replicas, limits));
      }
      case 3: {
        const isDrained = this.#drained.has(node);
        if (isDrained) return this.#undoDrain(node);
        this.#drained.add(node);
        return this.#ask('drain', () => admin?.drain(node, limits));
      }
      case 4:
        return this.#ask('alter', () => admin?.alterTopic(plan.name, this.#config(plan), limits));
      default:
        return this.#ask('transfer controller', () => admin?.transferController(node, limits));
    }
  }

  async #undoDrain(node: number): Promise<void> {
    this.#drained.delete(node);
    while (
      !(await this.#ask('undo drain', () =>
        this.#client?.admin.drain(node, { undo: true, ...limits }),
      ))
    )
      await this.#cluster.world.sleep(200);
  }

  /** Settings under which the promises cover the faults of this run. */
  #config({ replicationFactor }: TopicPlan): Record<string, string> {
    const least = this.#swarm.survivesLostDisk ? 2 : 1;
    const count = (): string =>
      String(least + this.#random.below(Math.max(1, replicationFactor - least + 1)));
    return this.#random.below(2) === 0
      ? { 'semi.sync.replicas': count() }
      : { 'min.insync.replicas': count() };
  }

  async #ask(what: string, act: () => Promise<unknown> | undefined): Promise<boolean> {
    const { world } = this.#cluster;
    world.note(`operator: ${what}`);
    try {
      await act();
      world.reach(`operator: ${what}`);
      return true;
    } catch (caught) {
      const { code, message } = HighwaterError.from(caught);
      world.note(`operator: ${what} refused, ${code} ${message}`);
      world.reach(`operator: ${what} ${code}`);
      return false;
    }
  }

  #some(values: readonly number[], count: number): readonly number[] {
    const left = [...values];
    const taken: number[] = [];
    while (taken.length < count && left.length > 0)
      taken.push(...left.splice(this.#random.below(left.length), 1));
    return taken;
  }

  #one<Value>(values: readonly Value[]): Value {
    const value = values[this.#random.below(values.length)];
    if (value === undefined) throw new Error('there is always something to choose');
    return value;
  }
}
