/** Three node processes, a fresh topic for each round, and the check of every replica of it. */
import { join } from 'node:path';
import { type Client, connect } from '../../client/index.ts';
import { until } from '../../test/support/cluster-view.ts';
import { ProcessCluster } from '../../test/support/process-cluster.ts';
import { filesGone } from '../harness/removed-files.ts';
import { warmMemory } from '../harness/warm-memory.ts';
import type { Worker } from '../harness/worker.ts';
import { cpuSecondsOfAll, startLoadClient } from './load-client.ts';
import type { LoadAnswer, LoadRequest, LoadTopic, ProduceRequest } from './requests.ts';
import type { Tally } from './values.ts';

const wholeWithinMs = 120_000;
const settledWithinMs = 10_000;
/** Nothing was sent before. */
const none = { tally: { records: 0, sum: 0 } };

export interface TopicShape {
  readonly partitions: number;
  readonly flush: 'os' | 'ack';
  readonly valueBytes: number;
}

/** Speed and cost of one round of a client. */
export interface RoundResult {
  readonly recordsPerSecond: number;
  readonly megabytesPerSecond: number;
  readonly clientCpuPerGB: number;
  readonly nodesCpuPerGB: number;
}

export class LoadCluster {
  readonly cluster: ProcessCluster;
  readonly client: Client;
  /** The process that produces; a second one consumes, so that both may run at once. */
  readonly producer: Worker<LoadRequest, LoadAnswer>;
  readonly consumer: Worker<LoadRequest, LoadAnswer>;
  readonly #invalid: (reason: string) => void;
  #topics = 0;

  private constructor(cluster: ProcessCluster, client: Client, invalid: (reason: string) => void) {
    this.cluster = cluster;
    this.client = client;
    this.#invalid = invalid;
    this.producer = startLoadClient();
    this.consumer = startLoadClient();
  }

  static async start(
    directory: string,
    invalid: (reason: string) => void,
    settings: Readonly<Record<string, string>> = {},
  ): Promise<LoadCluster> {
    const cluster = await ProcessCluster.start({ nodes: 3, directory, settings });
    return new LoadCluster(cluster, await connect({ brokers: cluster.brokers }), invalid);
  }

  /** Runs with a fresh topic of three replicas, all of them in sync; deletes it afterwards. */
  async withTopic<Result>(
    { partitions, flush, valueBytes }: TopicShape,
    run: (topic: LoadTopic) => Promise<Result>,
  ): Promise<Result> {
    const { admin } = this.client;
    const topic = `load-${this.#topics++}`;
    const { topicId } = await admin.createTopic({
      name: topic,
      partitions,
      replicationFactor: 3,
      config: { flush },
    });
    await until(
      () => admin.describeTopic(topic, { timeoutMs: 10_000 }),
      (info) =>
        info.partitions.every(({ leader, isr }) => leader !== undefined && isr.length === 3),
      'every partition has a leader and three in sync',
      wholeWithinMs,
    );
    const result = await run({ brokers: this.cluster.brokers, topic, valueBytes });
    await admin.deleteTopic(topic);
    await filesGone(logFolders(this.cluster), topicId);
    return result;
  }

  /**
   * Produces, measures, and checks what every replica then holds. The first `warmUp` records are part
   * of the check and not of the measure: they open what is opened once for each partition.
   */
  async produce(request: ProduceRequest, warmUp = 0): Promise<RoundResult> {
    const before = warmUp === 0 ? none : await this.#acknowledged({ ...request, count: warmUp });
    const nodesBefore = cpuSecondsOfAll(this.cluster.nodes);
    const answer = await this.#acknowledged(request);
    const nodesCpu = cpuSecondsOfAll(this.cluster.nodes) - nodesBefore;
    const { records, sum } = answer.tally;
    await this.verify(request, {
      records: before.tally.records + records,
      sum: before.tally.sum + sum,
    });
    return roundResult(request, answer, nodesCpu);
  }

  /** Memory for so many bytes on each of the three nodes; see `warmMemory`. */
  warm(bytes: number): Promise<void> {
    return warmMemory(this.cluster.directory, 3 * bytes);
  }

  /** Reads every replica and compares what it holds with what was acknowledged. */
  async verify(topic: LoadTopic, expected: Tally): Promise<void> {
    for (const { id } of this.cluster.nodes) {
      const tally = await this.#tallyOf(topic, id, expected.records);
      if (tally.records !== expected.records)
        this.#tell(topic, [`node ${id} holds ${tally.records} records of ${expected.records}`]);
      else if (tally.sum !== expected.sum)
        this.#tell(topic, [`node ${id} holds other bytes than were sent`]);
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.producer.close(), this.consumer.close()]);
    await this.client.close();
    await this.cluster.stop();
  }

  async #acknowledged(request: ProduceRequest): Promise<LoadAnswer> {
    const answer = await this.producer.ask(request);
    this.#tell(request, answer.faults);
    const { records } = answer.tally;
    if (records !== request.count)
      this.#tell(request, [`${records} of ${request.count} records acknowledged`]);
    return answer;
  }

  /** Read again for a while: what is acknowledged below `all` is readable once all have it. */
  async #tallyOf(place: LoadTopic, node: number, records: number): Promise<Tally> {
    const deadline = performance.now() + settledWithinMs;
    for (;;) {
      const { tally, faults } = await this.consumer.ask({ ...place, kind: 'verify', node });
      this.#tell(place, faults);
      if (tally.records >= records || performance.now() > deadline) return tally;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  #tell({ topic }: LoadTopic, faults: readonly string[]): void {
    for (const fault of faults) this.#invalid(`${topic}: ${fault}`);
  }
}

/** Where the nodes keep a folder for each log. */
export function logFolders({ nodes }: ProcessCluster): string[] {
  return nodes.map(({ data }) => join(data, 'logs'));
}

function roundResult(request: ProduceRequest, answer: LoadAnswer, nodesCpu: number): RoundResult {
  const gigabytes = (request.count * request.valueBytes) / 1e9;
  return {
    recordsPerSecond: request.count / answer.seconds,
    megabytesPerSecond: (gigabytes * 1000) / answer.seconds,
    clientCpuPerGB: answer.cpuSeconds / gigabytes,
    nodesCpuPerGB: nodesCpu / gigabytes,
  };
}
