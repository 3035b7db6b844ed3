/** The throughput rows: who runs in each, and which figures come of it. */
import { median } from '../harness/statistics.ts';
import { type Contestant, type Load, Runner } from './contestant.ts';
import { batchBytesInFlight, kafkaJava, kafkaNode, natsNode, ours } from './contestants.ts';
import type { Systems } from './systems.ts';

/** Ours ÷ theirs under one load, best setting against best setting. */
export interface Row {
  /** Says the load; names the samples. */
  readonly name: string;
  readonly load: string;
  readonly valueBytes: number;
  readonly runners: readonly Runner[];
  /** Key of the figures and the system that is the reference; a row may give two. */
  readonly figures: ReadonlyArray<{ readonly key: string; readonly against: 'kafka' | 'nats' }>;
}

const partitionCounts = [1, 6];
const recordByRecord = [100, 2_000];
/** As many promises as the producer's own bound lets pass at 1 KB. */
const defaultInFlight = 10_000;

export function makeRows(systems: Systems): Row[] {
  return [
    batchRow(systems, 'os_1KB', { valueBytes: 1024, flush: 'os' }),
    batchRow(systems, 'os_100B', { valueBytes: 100, flush: 'os' }),
    batchRow(systems, 'ack_1KB', { valueBytes: 1024, flush: 'ack' }),
    defaultRow(systems),
    singleRow(systems),
  ];
}

/** Batches, tuned clients, 1 and 6 partitions. */
function batchRow(systems: Systems, name: string, load: Omit<Load, 'partitions'>): Row {
  const { kafka } = systems;
  const form = { form: 'batch', inFlight: batchBytesInFlight } as const;
  const contestants = partitionCounts.flatMap((partitions) => {
    const own = { ...load, partitions };
    const peers =
      'missing' in kafka ? [] : [kafkaJava(kafka, own, 'tuned'), kafkaNode(kafka, own, form)];
    return [ours(systems, own, form), ...peers].map((one) => ({
      ...one,
      name: `${one.name}, ${partitions} p`,
    }));
  });
  return {
    name,
    load: `${load.valueBytes} B, flush ${load.flush}, batches, 1 and 6 partitions`,
    valueBytes: load.valueBytes,
    runners: runnersOf(systems, load.valueBytes, contestants),
    figures: [{ key: `${name}_vs_kafka_best`, against: 'kafka' }],
  };
}

/** Record by record at the defaults of the clients. */
function defaultRow(systems: Systems): Row {
  const { kafka } = systems;
  const load = { valueBytes: 1024, flush: 'os', partitions: 1 } as const;
  return {
    name: 'default',
    load: '1024 B, flush os, 1 partition, record by record, clients at their defaults',
    valueBytes: 1024,
    runners: runnersOf(systems, load.valueBytes, [
      ours(systems, load, { form: 'send', inFlight: defaultInFlight }),
      ...('missing' in kafka ? [] : [kafkaJava(kafka, load, 'default')]),
    ]),
    figures: [{ key: 'os_1KB_vs_kafka_default', against: 'kafka' }],
  };
}

/** Node clients against each other, a promise for each record. */
function singleRow(systems: Systems): Row {
  const { kafka, nats } = systems;
  const load = { valueBytes: 1024, flush: 'os', partitions: 1 } as const;
  return {
    name: 'single',
    load: '1024 B, flush os, 1 partition, record by record, Node clients, 100 and 2,000 in flight',
    valueBytes: 1024,
    runners: runnersOf(
      systems,
      load.valueBytes,
      recordByRecord.flatMap((inFlight) => [
        ours(systems, load, { form: 'send', inFlight }),
        ...('missing' in kafka ? [] : [kafkaNode(kafka, load, { form: 'send', inFlight })]),
        ...('missing' in nats ? [] : [natsNode(nats, 1024, inFlight)]),
      ]),
    ),
    figures: [
      { key: 'single_1KB_vs_kafka_node', against: 'kafka' },
      { key: 'single_1KB_vs_nats', against: 'nats' },
    ],
  };
}

function runnersOf(
  { ours: side }: Systems,
  valueBytes: number,
  contestants: readonly Contestant[],
): Runner[] {
  return contestants.map((one) => new Runner(one, (records) => side.warm(records * valueBytes)));
}

/** The greatest median of a system's settings, records a second; undefined if it does not take part. */
export function bestOf(row: Row, system: Contestant['system']): number | undefined {
  const medians = row.runners
    .filter(({ contestant }) => contestant.system === system)
    .map(({ shown }) => median(shown.map(({ recordsPerSecond }) => recordsPerSecond)));
  return medians.length === 0 ? undefined : Math.max(...medians);
}
