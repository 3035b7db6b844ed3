/** The single runs of the latency bench, each into a fresh topic that is checked afterwards. */

import type { LatencySummary } from '../../client/cli/load/latency-histogram.ts';
import type { Acks } from '../../client/index.ts';
import type { BenchContext } from '../harness/bench.ts';
import { settle } from '../harness/rounds.ts';
import type { LoadCluster } from '../load/load-cluster.ts';
import type { LoadAnswer, LoadTopic } from '../load/requests.ts';

const valueBytes = 1024;

type Flush = 'os' | 'ack';

/** What a run came to, and whose pauses it holds. */
export interface LatencyFound {
  readonly latency: LatencySummary;
  /** How late records were sent: pauses of the producer's process. */
  readonly senderLateP99Ms: number;
  /** Delay of the event loop of the slowest node, 99th percentile. */
  readonly nodeLoopP99Ms: number;
}

const loopDelayMetric = 'highwater_event_loop_delay_p99_ms';

export class LatencyRuns {
  readonly partitions = 6;
  readonly #context: BenchContext;
  readonly #ours: LoadCluster;
  readonly #seconds: number;
  readonly #warmUpSeconds: number;
  #groups = 0;

  constructor(context: BenchContext, ours: LoadCluster) {
    this.#context = context;
    this.#ours = ours;
    this.#seconds = context.isQuick ? 2 : 15;
    this.#warmUpSeconds = context.isQuick ? 1 : 3;
  }

  /** Records each second with 10,000 in flight at `all`, once the processes get no faster. */
  async maximum(flush: Flush): Promise<number> {
    const shape = { partitions: this.partitions, flush, valueBytes };
    const count = this.#context.isQuick ? 200_000 : 1_000_000;
    let recordsPerSecond = 0;
    const measure = async (): Promise<number> => {
      const round = await this.#ours.withTopic(shape, (topic) =>
        this.#ours.produce({
          ...topic,
          kind: 'produce',
          form: 'send',
          count,
          inFlight: 10_000,
          acks: 'all',
          isKeyed: false,
        }),
      );
      recordsPerSecond = round.recordsPerSecond;
      return recordsPerSecond;
    };
    await settle(8, [{ name: flush, measure }]);
    this.#context.progress(`maximum at ${flush}: ${recordsPerSecond.toFixed(0)} records/s`);
    return recordsPerSecond;
  }

  /** From the intended send to the acknowledgement. */
  acknowledged(
    { acks, flush }: { readonly acks: Acks; readonly flush: Flush },
    recordsPerSecond: number,
  ): Promise<LatencyFound> {
    const shape = { partitions: this.partitions, flush, valueBytes };
    return this.#ours.withTopic(shape, async (topic) => {
      const paced = await this.#pace(topic, acks, recordsPerSecond);
      return { ...paced, latency: measuredIn(paced.answer) };
    });
  }

  /** From the intended send to the loop of a consumer in another process. */
  endToEnd(flush: Flush, recordsPerSecond: number): Promise<LatencyFound> {
    const shape = { partitions: this.partitions, flush, valueBytes };
    return this.#ours.withTopic(shape, async (topic) => {
      const consuming = this.#ours.consumer.ask({
        ...topic,
        kind: 'consume',
        group: `latency-${this.#groups++}`,
        count: this.#count(recordsPerSecond),
        isTimed: true,
        warmUp: this.#warmUp(recordsPerSecond),
      });
      const [consumed, paced] = await Promise.all([
        consuming,
        this.#pace(topic, 'all', recordsPerSecond, consuming),
      ]);
      return { ...paced, latency: measuredIn(consumed) };
    });
  }

  /** Replicas are checked once the consumer, whose process does it, is free. */
  async #pace(
    topic: LoadTopic,
    acks: Acks,
    recordsPerSecond: number,
    busy: Promise<unknown> = Promise.resolve(),
  ): Promise<Omit<LatencyFound, 'latency'> & { readonly answer: LoadAnswer }> {
    const count = this.#count(recordsPerSecond);
    await this.#ours.warm(count * valueBytes);
    await this.#nodeLoopP99Ms();
    const answer = await this.#ours.producer.ask({
      ...topic,
      kind: 'paced',
      acks,
      recordsPerSecond,
      count,
      warmUp: this.#warmUp(recordsPerSecond),
    });
    const nodeLoopP99Ms = await this.#nodeLoopP99Ms();
    for (const fault of answer.faults) this.#context.invalid(`${topic.topic}: ${fault}`);
    if (answer.tally.records !== count)
      this.#context.invalid(
        `${topic.topic}: ${answer.tally.records} of ${count} records acknowledged`,
      );
    await busy;
    await this.#ours.verify(topic, answer.tally);
    return { answer, nodeLoopP99Ms, senderLateP99Ms: answer.lateness?.p99 ?? Number.NaN };
  }

  /** Of the slowest node, since the last time it was asked. */
  async #nodeLoopP99Ms(): Promise<number> {
    const { nodes } = this.#ours.cluster;
    const found = await Promise.all([...nodes].map((node) => node.metric(loopDelayMetric)));
    return Math.max(...found.map((ms) => ms ?? Number.NaN));
  }

  #count(recordsPerSecond: number): number {
    return Math.floor((this.#seconds + this.#warmUpSeconds) * recordsPerSecond);
  }

  #warmUp(recordsPerSecond: number): number {
    return Math.floor(this.#warmUpSeconds * recordsPerSecond);
  }
}

function measuredIn({ latency }: LoadAnswer): LatencySummary {
  if (latency === undefined) throw new Error('a load that keeps latencies');
  return latency;
}
