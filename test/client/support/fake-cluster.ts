import type { Client, ClientOptions } from '../../../client/client.ts';
import { openClient } from '../../../client/client.ts';
import type { OffsetCommit } from '../../../proto/generated/highwater/v1/group.ts';
import type { MetadataUpdate } from '../../../proto/generated/highwater/v1/metadata.ts';
import { type NodeId, nodeId, partitionNumber, topicId } from '../../../proto/model/ids.ts';
import { brokerEpoch, partitionEpoch, revision } from '../../../proto/model/offset.ts';
import { SeededRandom } from '../../../proto/ports/memory/seeded-random.ts';
import type { VirtualClock } from '../../../proto/ports/memory/virtual-clock.ts';
import { VirtualTime } from '../../../proto/ports/memory/virtual-time.ts';
import { MemoryRpcNetwork } from '../../../proto/rpc/memory/memory-rpc-network.ts';
import { FakeBroker } from './fake-broker.ts';
import { FakePartition } from './fake-partition.ts';

/** A topic of the stand-in. */
export interface FakeTopic {
  readonly topicId: ReturnType<typeof topicId>;
  readonly name: string;
  readonly partitions: FakePartition[];
  readonly config: Map<string, string>;
}

/**
 * Brokers that keep their promises, over in-memory calls on virtual time: a peer for the client to be
 * tested against. All replicas of a partition share one log, so that failover is a matter of one line.
 */
export class FakeCluster {
  readonly time = new VirtualTime();
  readonly network = new MemoryRpcNetwork();
  readonly random = new SeededRandom(1);
  readonly brokers = new Map<NodeId, FakeBroker>();
  readonly topics = new Map<string, FakeTopic>();
  readonly fenced = new Set<NodeId>();
  /** What groups have committed, by `topicId/partition`. */
  readonly committed = new Map<string, OffsetCommit>();
  /** Each offset that was committed, in order. */
  readonly commits: number[] = [];
  /** Commits are refused for the time being while this is false. */
  takesCommits = true;
  readonly clientClock: VirtualClock;
  revision = 1;
  /** InitProducer is refused with this. */
  givesProducerIds = true;
  nextProducer = 1;
  readonly #clients: Client[] = [];

  constructor(brokers = 3) {
    this.clientClock = this.time.clockFor('client', { originMs: 5_000 });
    for (let id = 1; id <= brokers; id++) this.start(id);
  }

  /** Starts a broker, or starts it again after a crash. */
  start(id: number): void {
    const clock = this.time.clockFor(`broker ${id}`);
    const host = this.network.host(`b${id}`, clock);
    this.brokers.set(nodeId(id), new FakeBroker(this, nodeId(id), { clock, host }));
  }

  createTopic(name: string, partitions = 1, config: Record<string, string> = {}): FakeTopic {
    const uuid = `00000000-0000-4000-8000-${String(this.topics.size + 1).padStart(12, '0')}`;
    const topic: FakeTopic = {
      topicId: topicId(uuid),
      name,
      partitions: [],
      config: new Map(Object.entries(config)),
    };
    for (let index = 0; index < partitions; index++) {
      const partition = new FakePartition();
      partition.leader = nodeId((index % this.brokers.size) + 1);
      topic.partitions.push(partition);
    }
    this.topics.set(name, topic);
    this.changed();
    return topic;
  }

  /** Tells every broker that the metadata has changed. */
  changed(): void {
    this.revision++;
    for (const broker of this.brokers.values()) broker.tell();
  }

  /** Another leader, told to all; `lose` drops that many of the last batches. */
  elect(topic: FakeTopic, partition: number, leader: number | undefined, lose = 0): void {
    const found = topic.partitions[partition];
    found?.elect(leader === undefined ? undefined : nodeId(leader), lose);
    this.changed();
  }

  fence(id: number): void {
    this.fenced.add(nodeId(id));
    this.changed();
  }

  /** Nothing passes between the client and a broker, and nobody is told. */
  hang(id: number): void {
    this.network.hold('client', `b${id}`);
    this.network.hold(`b${id}`, 'client');
  }

  /** What waited comes through, and the broker answers again. */
  goOn(id: number): void {
    this.network.release('client', `b${id}`);
    this.network.release(`b${id}`, 'client');
  }

  metadata(isSnapshot: boolean): MetadataUpdate {
    return {
      revision: revision(this.revision),
      clusterId: '11111111-1111-4111-8111-111111111111',
      isSnapshot,
      brokers: Array.from(this.brokers.keys(), (id) => ({
        nodeId: id,
        host: `b${id}`,
        port: 9092,
        rack: `rack-${id}`,
        fenced: this.fenced.has(id),
        draining: false,
        brokerEpoch: brokerEpoch(1),
      })),
      topics: Array.from(this.topics.values(), (topic) => ({
        topicId: topic.topicId,
        name: topic.name,
        internal: false,
        config: topic.config,
        partitions: topic.partitions.map((partition, index) => ({
          partition: partitionNumber(index),
          leader: partition.leader,
          leaderEpoch: partition.epoch,
          partitionEpoch: partitionEpoch(1),
          replicas: [...this.brokers.keys()],
          isr: [...this.brokers.keys()].filter((id) => !this.fenced.has(id)),
          elr: [],
        })),
      })),
      deletedTopics: [],
      removedBrokers: [],
      stale: false,
    };
  }

  /** A client of this cluster, on its clock. */
  async connect(options: Partial<ClientOptions> = {}): Promise<Client> {
    const host = this.network.host('client', this.clientClock);
    const machine = {
      clock: this.clientClock,
      random: this.random.fork(`client ${this.#clients.length}`),
      connector: host.connector,
    };
    const brokers = [...this.brokers.keys()].map((id) => `b${id}:9092`);
    const client = await this.run(openClient(machine, { brokers, ...options }));
    this.#clients.push(client);
    return client;
  }

  /** Lets time pass until the promise settles. */
  run<Value>(promise: Promise<Value>, maxMs = 300_000): Promise<Value> {
    return this.time.complete(promise, maxMs);
  }

  /** Closes all clients; a test that ends cleanly leaves nothing behind. */
  async close(): Promise<void> {
    await this.run(Promise.all(this.#clients.map((client) => client.close())));
  }
}
