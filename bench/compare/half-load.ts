/** Latency in an open loop, both systems at the same rate: half of what the slower one can do. */
import { kafkaProduce } from '../peers/kafka-tools.ts';
import type { KafkaSide, Systems } from './systems.ts';

export interface HalfLoad {
  readonly recordsPerSecond: number;
  readonly seconds: number;
}

const valueBytes = 1024;
const load = { partitions: 1, flush: 'os', valueBytes } as const;

/** Percentile 99 from the intended send to the acknowledgement, in ms. */
export async function ourP99(
  { ours }: Systems,
  { recordsPerSecond, seconds }: HalfLoad,
): Promise<number> {
  return ours.withTopic(load, async (topic) => {
    const warmUp = Math.round(recordsPerSecond * (seconds / 3));
    const count = Math.round(recordsPerSecond * seconds) + warmUp;
    const request = { ...topic, acks: 'all', recordsPerSecond, count, warmUp } as const;
    const answer = await ours.producer.ask({ kind: 'paced', ...request });
    const [fault] = answer.faults;
    if (fault !== undefined) throw new Error(`a paced send failed: ${fault}`);
    await ours.verify(topic, answer.tally);
    return answer.latency?.p99 ?? Number.NaN;
  });
}

/**
 * The tool counts from the actual send and not from the intended one, which is in its favour. It runs
 * with its defaults and without linger; the better figure counts.
 */
export async function kafkaP99(
  { cluster }: KafkaSide,
  { recordsPerSecond, seconds }: HalfLoad,
  topicPrefix: string,
): Promise<number> {
  const found: number[] = [];
  for (const linger of ['5', '0']) {
    const topic = `${topicPrefix}-linger-${linger}`;
    await cluster.createTopic(topic, 1, false);
    const { p99Ms } = await kafkaProduce({
      bootstrap: cluster.bootstrap,
      topic,
      records: Math.round(recordsPerSecond * seconds),
      warmUp: Math.round(recordsPerSecond * (seconds / 3)),
      recordBytes: valueBytes,
      rate: Math.round(recordsPerSecond),
      settings: { 'linger.ms': linger },
    });
    await cluster.deleteTopic(topic);
    found.push(p99Ms);
  }
  return Math.min(...found);
}
