/** Latency on Kafka's Java client in an open loop, counted from the intended send; see `ToolHost.java`. */
import type { LatencyBucket } from '../harness/latency-buckets.ts';
import type { KafkaToolHost } from './kafka-tool-host.ts';

export interface KafkaOpenLoop {
  readonly bootstrap: string;
  readonly topic: string;
  readonly valueBytes: number;
  readonly recordsPerSecond: number;
  readonly count: number;
  /** Records before those, which are not measured. */
  readonly warmUp: number;
  /** Settings of the producer beside `acks=all`. */
  readonly settings: Readonly<Record<string, string | number>>;
}

/** In milliseconds. */
export interface KafkaLatency {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly buckets: readonly LatencyBucket[];
}

export async function kafkaOpenLoop(
  tools: KafkaToolHost,
  job: KafkaOpenLoop,
): Promise<KafkaLatency> {
  const settings = { 'bootstrap.servers': job.bootstrap, acks: 'all', ...job.settings };
  const printed = await tools.run('open-loop', [
    ...[job.topic, job.valueBytes, job.recordsPerSecond, job.count, job.warmUp].map(String),
    ...Object.entries(settings).map(([name, value]) => `${name}=${value}`),
  ]);
  const line = printed.split('\n').findLast((text) => text.startsWith('{'));
  if (line === undefined) throw new Error(`the open loop printed no result: ${printed}`);
  return JSON.parse(line) as KafkaLatency;
}
