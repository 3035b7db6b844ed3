/** Three combined nodes of Kafka, KRaft, from the published jars. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import { freePorts } from '../../broker/main/free-ports.ts';
import { jvmFlags, kafkaClassPath } from './kafka-jvm.ts';
import { PeerProcess } from './peer-process.ts';

const run = promisify(execFile);
const nodeIds = [1, 2, 3];
/** What `kafka-server-start.sh` gives a broker. */
const brokerHeap = ['-Xmx1G', '-Xms1G'];
const wholeWithinMs = 60_000;

export class KafkaCluster {
  readonly bootstrap: string;
  readonly nodes: readonly PeerProcess[];
  /** Where its configuration, its logs and its data are. */
  readonly directory: string;
  readonly #admin: ReturnType<Kafka['admin']>;

  private constructor(directory: string, bootstrap: string, nodes: readonly PeerProcess[]) {
    this.directory = directory;
    this.bootstrap = bootstrap;
    this.nodes = nodes;
    this.#admin = new Kafka({
      brokers: bootstrap.split(','),
      logLevel: logLevel.NOTHING,
    }).admin();
  }

  /** `settings` are added to those of every node, as lines of its configuration. */
  static async start(directory: string, settings: readonly string[] = []): Promise<KafkaCluster> {
    const ports = await freePorts(nodeIds.length * 2);
    const port = (index: number): number => ports[index] ?? 0;
    const voters = nodeIds.map((id) => `${id}@127.0.0.1:${port(id * 2 - 1)}`).join(',');
    const clusterId = await storageTool('random-uuid');
    const nodes = await Promise.all(
      nodeIds.map(async (id) => {
        const configuration = join(directory, `kafka-${id}.properties`);
        const [broker, controller] = [port(id * 2 - 2), port(id * 2 - 1)];
        const lines = properties({ id, directory, voters, broker, controller });
        await writeFile(configuration, [...lines, ...settings, ''].join('\n'));
        await storageTool('format', '-t', clusterId, '-c', configuration);
        return new PeerProcess({
          command: 'java',
          argv: [...jvmFlags, ...brokerHeap, '-cp', kafkaClassPath, 'kafka.Kafka', configuration],
          logPath: join(directory, `kafka-${id}.log`),
          port: broker,
        });
      }),
    );
    const bootstrap = nodeIds.map((id) => `127.0.0.1:${port(id * 2 - 2)}`).join(',');
    const cluster = new KafkaCluster(directory, bootstrap, nodes);
    try {
      await Promise.all(nodes.map((node) => node.listens()));
      await cluster.#admin.connect();
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  /** Resolves once every partition is led; `isFlushed`: each append is flushed before it counts. */
  async createTopic(topic: string, partitions: number, isFlushed: boolean): Promise<void> {
    const configEntries = isFlushed ? [{ name: 'flush.messages', value: '1' }] : [];
    await this.#admin.createTopics({
      waitForLeaders: false,
      topics: [{ topic, numPartitions: partitions, replicationFactor: 3, configEntries }],
    });
    // A broker that has not heard of the topic yet denies it: asked again.
    const deadline = Date.now() + wholeWithinMs;
    while (!(await this.#isLed(topic))) {
      if (Date.now() > deadline) throw new Error(`Kafka names no leaders of ${topic}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async deleteTopic(topic: string): Promise<void> {
    await this.#admin.deleteTopics({ topics: [topic] });
  }

  /** Records of a topic below the watermarks. */
  async count(topic: string): Promise<number> {
    const offsets = await this.#admin.fetchTopicOffsets(topic);
    return offsets.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
  }

  /** The node that leads partition 0. */
  async leader(topic: string): Promise<PeerProcess> {
    const { topics } = await this.#admin.fetchTopicMetadata({ topics: [topic] });
    const node = this.nodes[(topics[0]?.partitions[0]?.leader ?? 0) - 1];
    if (node === undefined) throw new Error(`Kafka names no leader of ${topic}`);
    return node;
  }

  /** Resolves once every node is a broker of the cluster again. */
  async whole(): Promise<void> {
    const deadline = Date.now() + wholeWithinMs;
    for (;;) {
      const brokers = await this.#admin.describeCluster().then(
        (cluster) => cluster.brokers.length,
        () => 0,
      );
      if (brokers === nodeIds.length) return;
      if (Date.now() > deadline) throw new Error(`Kafka has ${brokers} brokers of three`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  #isLed(topic: string): Promise<boolean> {
    return this.#admin.fetchTopicMetadata({ topics: [topic] }).then(
      ({ topics }) => topics[0]?.partitions.every(({ leader }) => leader > 0) ?? false,
      () => false,
    );
  }

  async stop(): Promise<void> {
    await this.#admin.disconnect().catch(() => undefined);
    await Promise.all(this.nodes.map((node) => node.signal('SIGKILL')));
  }
}

/** Kafka's tool for ids and empty data directories. */
async function storageTool(...argv: readonly string[]): Promise<string> {
  const tool = 'kafka.tools.StorageTool';
  const { stdout } = await run('java', [...jvmFlags, '-cp', kafkaClassPath, tool, ...argv]);
  return stdout.trim();
}

interface NodeProperties {
  readonly id: number;
  readonly directory: string;
  readonly voters: string;
  readonly broker: number;
  readonly controller: number;
}

/** Kafka's defaults, but for what three nodes on one machine need. */
function properties({ id, directory, voters, broker, controller }: NodeProperties): string[] {
  return [
    'process.roles=broker,controller',
    `node.id=${id}`,
    `controller.quorum.voters=${voters}`,
    `listeners=PLAINTEXT://127.0.0.1:${broker},CONTROLLER://127.0.0.1:${controller}`,
    `advertised.listeners=PLAINTEXT://127.0.0.1:${broker}`,
    'controller.listener.names=CONTROLLER',
    'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    `log.dirs=${join(directory, `kafka-data-${id}`)}`,
    // By default a minute later: its next rounds would be written to memory that nobody has used for a while.
    'log.segment.delete.delay.ms=0',
    'min.insync.replicas=2',
    'offsets.topic.replication.factor=3',
    'auto.create.topics.enable=false',
  ];
}
