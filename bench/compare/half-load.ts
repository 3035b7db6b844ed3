/**
 * Latency in an open loop, both systems at the same rate: half of what the slower one can do. On both sides
 * it counts from the time at which a record was to be sent.
 */
import type { LatencyBucket } from '../harness/latency-buckets.ts';
import { kafkaOpenLoop } from '../peers/kafka-open-loop.ts';
import { duelLoad as load } from './duel-load.ts';
import type { KafkaSide, Systems } from './systems.ts';

export interface HalfLoad {
  readonly recordsPerSecond: number;
  readonly seconds: number;
}

/** Of one round, in ms. */
export interface RoundLatency {
  readonly p50: number;
  readonly p99: number;
  readonly buckets: readonly LatencyBucket[];
  /** Sends that failed, by what they say; a round with any does not count. */
  readonly faults?: readonly string[];
}

const { valueBytes } = load;
/** Of a round, before what is measured. */
const warmUpShare = 1 / 3;

export async function ourLatency(
  { ours }: Systems,
  { recordsPerSecond, seconds }: HalfLoad,
): Promise<RoundLatency> {
  return ours.withTopic(load, async (topic) => {
    const warmUp = Math.round(recordsPerSecond * seconds * warmUpShare);
    const count = Math.round(recordsPerSecond * seconds) + warmUp;
    const request = { ...topic, acks: 'all', recordsPerSecond, count, warmUp } as const;
    const { faults, tally, latency, buckets } = await ours.producer.ask({
      kind: 'paced',
      ...request,
    });
    await ours.verify(topic, tally);
    if (latency === undefined || buckets === undefined)
      throw new Error('a paced load tells its latency');
    return { p50: latency.p50, p99: latency.p99, buckets, faults };
  });
}

/** Settings of Kafka's producer that are tried; the better one is compared with. */
export const kafkaLingers = ['5', '0'] as const;

export async function kafkaLatency(
  { cluster, tools }: KafkaSide,
  { recordsPerSecond, seconds }: HalfLoad,
  { topic, linger }: { readonly topic: string; readonly linger: string },
): Promise<RoundLatency> {
  await cluster.createTopic(topic, 1, false);
  const found = await kafkaOpenLoop(tools, {
    bootstrap: cluster.bootstrap,
    topic,
    valueBytes,
    recordsPerSecond,
    count: Math.round(recordsPerSecond * seconds),
    warmUp: Math.round(recordsPerSecond * seconds * warmUpShare),
    settings: { 'linger.ms': linger },
  });
  await cluster.deleteTopic(topic);
  return found;
}
