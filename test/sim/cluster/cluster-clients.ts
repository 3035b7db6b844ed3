/** Everybody who uses the cluster of one run: writers, readers and an operator. */
import { openClient } from '../../../client/client.ts';
import type { TopicImage } from '../../../proto/metadata/image.ts';
import { HighwaterError } from '../../../proto/model/errors.ts';
import type { Acknowledgements } from '../checkers/acknowledgements.ts';
import type { CommittedRecords } from '../checkers/committed-records.ts';
import type { PromisedRecords } from '../checkers/promised-records.ts';
import type { ClusterSwarm } from './cluster-swarm.ts';
import type { CompactedPlan } from './extra-plans.ts';
import { Ledger, type OnPromised } from './ledger.ts';
import { SimChurn } from './sim-churn.ts';
import type { SimCluster } from './sim-cluster.ts';
import { SimGroup } from './sim-group.ts';
import { SimOperator } from './sim-operator.ts';
import { SeenRecords, SimReader } from './sim-reader.ts';
import { SimVoters } from './sim-voters.ts';
import { SimWriter } from './sim-writer.ts';

const formMs = 30_000;
/** The number of who writes the compacted topic, among the writers. */
const compactedNumber = 91;

/** Checkers that are told what clients are told. */
export interface ToldCheckers {
  readonly committed: CommittedRecords;
  readonly promised: PromisedRecords;
  readonly acknowledgements: Acknowledgements;
}

export class ClusterClients {
  readonly ledger: Ledger;
  readonly seen = new SeenRecords();
  readonly writers: readonly SimWriter[];
  readonly readers: readonly SimReader[];
  readonly groups: readonly SimGroup[];
  readonly operator: SimOperator;
  readonly churn: SimChurn | undefined;
  readonly voters: SimVoters | undefined;
  /** Who writes the compacted topic, and what it was told. */
  readonly compacted: { readonly writer: SimWriter; readonly ledger: Ledger } | undefined;
  readonly #cluster: SimCluster;
  readonly #swarm: ClusterSwarm;
  readonly #topicIds = new Map<string, string>();

  constructor(cluster: SimCluster, swarm: ClusterSwarm, checkers: ToldCheckers) {
    this.#cluster = cluster;
    this.#swarm = swarm;
    const onPromised: OnPromised = (place, offset, acks) => {
      const [topic = '', partition = ''] = place.split('/');
      const where = `${this.#topicIds.get(topic)}/${partition}`;
      checkers.promised.acknowledged(where, offset);
      const problem = checkers.acknowledgements.acknowledged(where, offset, acks);
      if (problem !== undefined) cluster.world.fail('acknowledgements', problem);
    };
    this.ledger = new Ledger(onPromised);
    this.compacted = compactedWriter(cluster, swarm.compacted, new Ledger(onPromised));
    const targets = swarm.topics.map(({ name, partitions }) => ({ topic: name, partitions }));
    this.writers = swarm.writers.map(
      (plan, index) =>
        new SimWriter(cluster, { number: index + 1, plan, ledger: this.ledger, targets }),
    );
    const watermark = (topic: string, partition: number): number =>
      checkers.committed.watermark(`${this.#topicIds.get(topic)}/${partition}`);
    this.readers = swarm.readers.map((readFrom, index) => {
      const topic = swarm.topics[index % swarm.topics.length]?.name ?? '';
      return new SimReader(cluster, {
        number: index + 1,
        topic,
        readFrom,
        seen: this.seen,
        watermark,
      });
    });
    const topics = swarm.topics.map(({ name }) => name);
    this.groups = swarm.groups.map(
      (plan, index) =>
        new SimGroup(cluster, { name: `group-${index + 1}`, plan, topics, watermark }),
    );
    this.operator = new SimOperator(cluster, swarm);
    this.churn =
      swarm.churn === undefined ? undefined : new SimChurn(cluster, swarm.churn, checkers);
    this.voters = swarm.voters === undefined ? undefined : new SimVoters(cluster, swarm.voters);
  }

  /** Waits for the cluster to be formed, makes the topics and lets everybody begin. */
  async start(): Promise<void> {
    const client = await openClient(this.#cluster.clientMachine('founder'), {
      brokers: this.#cluster.addresses,
      connectTimeoutMs: formMs,
    });
    const { topics, compacted } = this.#swarm;
    for (const topic of compacted === undefined ? topics : [...topics, compacted.topic]) {
      for (;;) {
        try {
          const { topicId } = await client.admin.createTopic(topic);
          this.#topicIds.set(topic.name, topicId);
          break;
        } catch (caught) {
          // Too few brokers have registered so far.
          const { code, message } = HighwaterError.from(caught);
          this.#cluster.world.note(`topic refused: ${code} ${message}`);
          await this.#cluster.world.sleep(100);
        }
      }
    }
    await client.close();
    for (const one of this.#all)
      one.run().catch((error: unknown) => {
        this.#cluster.world.fail('no-defect', `a client ended: ${String(error)}`);
      });
  }

  /** What writers of the topic were told; undefined: it is not certain which of its name it is. */
  told(topic: TopicImage): { readonly ledger: Ledger; readonly name: string } | undefined {
    const { churn, ledger, compacted } = this;
    if (compacted !== undefined && topic.name === this.#swarm.compacted?.topic.name)
      return { ledger: compacted.ledger, name: topic.name };
    if (churn === undefined || topic.name !== this.#swarm.churn?.topic.name)
      return { ledger, name: topic.name };
    const name = churn.nameOf(topic.topicId);
    return name === undefined ? undefined : { ledger: churn.ledger, name };
  }

  stop(): void {
    for (const one of this.#all) one.stop();
  }

  get #all(): readonly { run(): Promise<void>; stop(): void }[] {
    const { churn, voters, compacted } = this;
    const some = [churn, voters, compacted?.writer].filter((one) => one !== undefined);
    return [...this.writers, ...this.readers, ...this.groups, this.operator, ...some];
  }
}

function compactedWriter(
  cluster: SimCluster,
  plan: CompactedPlan | undefined,
  ledger: Ledger,
): ClusterClients['compacted'] {
  if (plan === undefined) return undefined;
  const { keys, topic, writer } = plan;
  const targets = [{ topic: topic.name, partitions: topic.partitions }];
  const options = { number: compactedNumber, plan: writer, ledger, targets, keys };
  return { ledger, writer: new SimWriter(cluster, options) };
}
