/**
 * Somebody who deletes a topic and makes it again under the same name while the same client writes to
 * it. Names are never identity: what was sent to one topic is in no later one (rule 6.2), and what was
 * acknowledged by the last one is there. In between, a record may be in either or in none.
 */
import { HighwaterError } from '../../../proto/model/errors.ts';
import type { SeededRandom } from '../../../proto/ports/memory/seeded-random.ts';
import type { ToldCheckers } from './cluster-clients.ts';
import type { ChurnPlan } from './extra-plans.ts';
import { Ledger } from './ledger.ts';
import type { SimCluster } from './sim-cluster.ts';
import { SimWriter } from './sim-writer.ts';

const limits = { timeoutMs: 5_000 };
/** Its own number among the writers. */
const writerNumber = 90;
/** Instead of a topic's id. */
const gone = 'gone';

export class SimChurn {
  readonly ledger: Ledger;
  readonly #cluster: SimCluster;
  readonly #plan: ChurnPlan;
  readonly #random: SeededRandom;
  readonly #writer: SimWriter;
  /** Topics so far, by what the ledger calls them. */
  readonly #topicIds = new Map<string, string>();
  /** The topic that is certain to be there; undefined: it is deleted or made. */
  #present: string | undefined;
  #isCalm = false;
  #isOver = false;

  constructor(cluster: SimCluster, plan: ChurnPlan, checkers: ToldCheckers) {
    this.#cluster = cluster;
    this.#plan = plan;
    this.#random = cluster.world.random.fork('churn');
    this.ledger = new Ledger((place, offset, acks) => {
      const [name = '', partition = ''] = place.split('/');
      const topicId = this.#topicIds.get(name);
      // The last watermark of a deleted topic may move in the very event that takes its replicas away.
      if (topicId === undefined || name !== this.#present) return;
      const where = `${topicId}/${partition}`;
      checkers.promised.acknowledged(where, offset);
      const problem = checkers.acknowledgements.acknowledged(where, offset, acks);
      if (problem !== undefined) cluster.world.fail('acknowledgements', problem);
    });
    const { name, partitions } = plan.topic;
    this.#writer = new SimWriter(cluster, {
      number: writerNumber,
      plan: plan.writer,
      ledger: this.ledger,
      targets: [{ topic: name, partitions }],
      nameOf: () => this.#present ?? `${name}#?`,
    });
  }

  /** What the ledger calls the topic; undefined if it is not the one that is there. */
  nameOf(topicId: string): string | undefined {
    const name = this.#present;
    return name !== undefined && this.#topicIds.get(name) === topicId ? name : undefined;
  }

  /** The topic stays, and everything that was sent was answered. */
  get isSettled(): boolean {
    return this.#isCalm && this.#present !== undefined && this.#writer.underWay === 0;
  }

  async run(): Promise<void> {
    await Promise.all([this.#writer.run(), this.#comeAndGo()]);
  }

  /** The topic stays from here on, and nothing more is written. */
  calm(): void {
    this.#isCalm = true;
    this.#writer.stop();
  }

  stop(): void {
    this.#isOver = true;
    this.calm();
  }

  async #comeAndGo(): Promise<void> {
    const { world } = this.#cluster;
    const { lifeMs, goneMs } = this.#plan;
    for (let count = 1; !this.#isOver; count++) {
      const topicId = await this.#make();
      if (topicId === undefined) return;
      const name = `${this.#plan.topic.name}#${count}`;
      this.#topicIds.set(name, topicId);
      this.#present = name;
      world.note(`${name} is ${topicId}`);
      if (count > 1) world.reach('topic made again');
      await world.sleep(1 + this.#random.below(2 * lifeMs));
      if (this.#isCalm) return;
      this.#present = undefined;
      await this.#remove();
      await world.sleep(1 + this.#random.below(2 * goneMs));
    }
  }

  /** Until the writer's producer writes to it. An attempt whose answer was lost may have made it. */
  async #make(): Promise<string | undefined> {
    const { topic } = this.#plan;
    while (!this.#isOver) {
      await this.#ask('make', () => this.#admin?.createTopic(topic, limits));
      const found = await this.#find();
      const isThere = found !== undefined && found !== gone;
      // What it holds for a topic of that name that it has not seen goes to the next one that it sees.
      if (isThere && (await this.#writer.topicWrittenTo(topic.name)) === found) return found;
      await this.#cluster.world.sleep(100);
    }
    return undefined;
  }

  async #remove(): Promise<void> {
    while (!this.#isOver) {
      await this.#ask('delete', () => this.#admin?.deleteTopic(this.#plan.topic.name, limits));
      if ((await this.#find()) === gone) return;
      await this.#cluster.world.sleep(100);
    }
  }

  /** The topic's id as the writer's client sees it, by a linearizable read. */
  async #find(): Promise<string | undefined> {
    try {
      const topics = await this.#admin?.listTopics(limits);
      return topics === undefined
        ? undefined
        : (topics.find(({ name }) => name === this.#plan.topic.name)?.topicId ?? gone);
    } catch {
      return undefined;
    }
  }

  get #admin() {
    return this.#writer.client?.admin;
  }

  async #ask(what: string, act: () => Promise<unknown> | undefined): Promise<void> {
    const { world } = this.#cluster;
    try {
      await act();
      world.reach(`churn: ${what}`);
    } catch (caught) {
      const { code, message } = HighwaterError.from(caught);
      world.note(`churn: ${what} refused, ${code} ${message}`);
      world.reach(`churn: ${what} ${code}`);
    }
  }
}
