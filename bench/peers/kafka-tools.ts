/** Kafka's own performance tools, and what they print. */
import type { KafkaToolHost } from './kafka-tool-host.ts';

export interface KafkaProduce {
  readonly bootstrap: string;
  readonly topic: string;
  readonly records: number;
  readonly recordBytes: number;
  /** The first of them, which are counted neither in time nor in bytes. */
  readonly warmUp: number;
  /** Settings of the producer beside `acks=all`. */
  readonly settings: Readonly<Record<string, string | number>>;
}

export interface KafkaProduced {
  readonly recordsPerSecond: number;
  readonly megabytesPerSecond: number;
}

/** `ProducerPerformance`: sends as fast as it may and waits for every acknowledgement. */
export async function kafkaProduce(
  tools: KafkaToolHost,
  job: KafkaProduce,
): Promise<KafkaProduced> {
  const settings = { acks: 'all', ...job.settings };
  const stdout = await tools.run('org.apache.kafka.tools.ProducerPerformance', [
    ...['--bootstrap-server', job.bootstrap, '--topic', job.topic],
    ...['--num-records', String(job.records + job.warmUp), '--warmup-records', String(job.warmUp)],
    ...['--record-size', String(job.recordBytes), '--throughput', '-1'],
    // All of them behind one option: the tool takes the last of several, and drops the others.
    '--command-property',
    ...Object.entries(settings).map(([name, value]) => `${name}=${value}`),
  ]);
  const line = stdout
    .trim()
    .split('\n')
    .findLast((text) => text.includes('99th'));
  const rate = /([\d.]+) records\/sec/.exec(line ?? '')?.[1];
  if (rate === undefined)
    throw new Error(`ProducerPerformance printed no summary: ${stdout.slice(-1_000)}`);
  const recordsPerSecond = Number(rate);
  return {
    recordsPerSecond,
    // The tool counts in MiB; every figure here is in MB.
    megabytesPerSecond: (recordsPerSecond * job.recordBytes) / 1e6,
  };
}

/** `ConsumerPerformance`: MB/s while fetching, joining the group left out, as the tool counts it. */
export async function kafkaConsume(
  tools: KafkaToolHost,
  job: { readonly bootstrap: string; readonly topic: string; readonly records: number },
): Promise<{ readonly records: number; readonly megabytesPerSecond: number }> {
  const stdout = await tools.run('org.apache.kafka.tools.ConsumerPerformance', [
    ...['--bootstrap-server', job.bootstrap, '--topic', job.topic],
    ...['--num-records', String(job.records), '--hide-header'],
  ]);
  const fields = stdout
    .trim()
    .split('\n')
    .findLast((text) => text.split(',').length >= 10)
    ?.split(',')
    .map((field) => field.trim());
  const records = Number(fields?.[4]);
  // Fields: start, end, MiB, MiB/s, records, records/s, rebalance ms, fetch ms, fetch MiB/s, fetch records/s.
  const megabytesPerSecond = Number(fields?.[8]) * 1.048576;
  if (!(records > 0) || !(megabytesPerSecond > 0))
    throw new Error(`ConsumerPerformance printed no summary: ${stdout.slice(-1_000)}`);
  return { records, megabytesPerSecond };
}
