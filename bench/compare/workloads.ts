/**
 * What each row is called in the OpenMessaging Benchmark, and how its parameters are scaled to one machine
 * and to minutes. Rows that have no counterpart there are not listed.
 */
import type { Plan } from './plan.ts';

/** Parameters by their names there. */
export interface Workload {
  readonly row: string;
  readonly name: string;
  readonly parameters: Readonly<Record<string, string | number | boolean>>;
  readonly scaled: string;
}

const topic = { topics: 1, producersPerTopic: 1, useRandomizedPayloads: true, randomBytesRatio: 1 };
const maxRate = { ...topic, producerRate: 10_000_000 };

export function workloadsOf(plan: Plan): readonly Workload[] {
  const { rounds, roundSeconds, halfLoadSeconds, consumeRecords } = plan;
  const saturation = `the rate is beyond all: as fast as it goes; ${rounds} rounds of about ${roundSeconds} s for 5 minutes; its one consumer is a row of its own`;
  const max = (row: string, size: '1kb' | '100b', partitions: string, what = ''): Workload => ({
    row,
    name: `max-rate-1-topic-1-partition-1p-1c-${size}`,
    parameters: {
      ...maxRate,
      partitionsPerTopic: partitions,
      messageSize: size === '1kb' ? 1024 : 100,
    },
    scaled: `${what}${saturation}`,
  });
  const six = 'and with 6 partitions (there 10); ';
  return [
    max('os_1KB', '1kb', '1 and 6', six),
    max('os_100B', '100b', '1 and 6', six),
    max('ack_1KB', '1kb', '1 and 6', `${six}flushed on all replicas; `),
    max('default', '1kb', '1', 'clients at their defaults; '),
    max('single', '1kb', '1', 'a promise for each record; '),
    {
      row: 'consume',
      name: 'backlog-1-topic-1-partition-1kb',
      parameters: {
        ...topic,
        partitionsPerTopic: 1,
        messageSize: 1024,
        subscriptionsPerTopic: 1,
        consumerPerSubscription: 1,
        consumerBacklogSizeGB: (consumeRecords * 1024) / 1e9,
      },
      scaled: 'the backlog is 100 GB there; nothing is produced while it is read',
    },
    {
      row: 'half load',
      name: '1-topic-1-partition-1kb',
      parameters: { ...topic, partitionsPerTopic: 1, messageSize: 1024, producerRate: 'half' },
      scaled: `50,000 records/s for 15 minutes there; ${rounds} rounds of ${halfLoadSeconds} s, a third more before them to warm up, no consumer`,
    },
  ];
}

/** One line. */
export function workloadText({ row, name, parameters, scaled }: Workload): string {
  const facts = Object.entries(parameters).map(([key, value]) => `${key} ${value}`);
  return `${row}: ${name} (${facts.join(', ')}); ${scaled}`;
}
