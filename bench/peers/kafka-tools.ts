/** Kafka's own performance tools, and what they print. */
import { runTool } from './kafka-cluster.ts';

export interface KafkaProduce {
  readonly bootstrap: string;
  readonly topic: string;
  readonly records: number;
  readonly recordBytes: number;
  /** Records that only warm the JVM; counted neither in time nor in bytes. */
  readonly warmUp: number;
  /** Records a second; unbounded without. */
  readonly rate?: number;
  /** Settings of the producer beside `acks=all`. */
  readonly settings: Readonly<Record<string, string | number>>;
}

export interface KafkaProduced {
  readonly recordsPerSecond: number;
  readonly megabytesPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** `ProducerPerformance`: sends as fast as it may and waits for every acknowledgement. */
export async function kafkaProduce(job: KafkaProduce): Promise<KafkaProduced> {
  const settings = { acks: 'all', ...job.settings };
  const { stdout } = await runTool('org.apache.kafka.tools.ProducerPerformance', [
    ...['--bootstrap-server', job.bootstrap, '--topic', job.topic],
    ...['--num-records', String(job.records + job.warmUp), '--warmup-records', String(job.warmUp)],
    ...['--record-size', String(job.recordBytes), '--throughput', String(job.rate ?? -1)],
    ...Object.entries(settings).flatMap(([name, value]) => [
      '--command-property',
      `${name}=${value}`,
    ]),
  ]);
  const line = stdout
    .trim()
    .split('\n')
    .findLast((text) => text.includes('99th'));
  const rate = /([\d.]+) records\/sec/.exec(line ?? '')?.[1];
  const p50 = /([\d.]+) ms 50th/.exec(line ?? '')?.[1];
  const p99 = /([\d.]+) ms 99th/.exec(line ?? '')?.[1];
  if (rate === undefined || p50 === undefined || p99 === undefined)
    throw new Error(`ProducerPerformance printed no summary: ${stdout.slice(-1_000)}`);
  const recordsPerSecond = Number(rate);
  return {
    recordsPerSecond,
    // The tool counts in MiB; every figure here is in MB.
    megabytesPerSecond: (recordsPerSecond * job.recordBytes) / 1e6,
    p50Ms: Number(p50),
    p99Ms: Number(p99),
  };
}

/** `ConsumerPerformance`: MB/s while fetching, joining the group left out, as the tool counts it. */
export async function kafkaConsume(job: {
  readonly bootstrap: string;
  readonly topic: string;
  readonly records: number;
}): Promise<{ readonly records: number; readonly megabytesPerSecond: number }> {
  const { stdout } = await runTool('org.apache.kafka.tools.ConsumerPerformance', [
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
