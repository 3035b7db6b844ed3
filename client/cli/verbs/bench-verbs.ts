/** `highwater bench produce|consume|latency`: what a cluster of one's own can do, from this machine. */
import { acksLevels } from '../../../proto/model/acks.ts';
import { compressionNames } from '../../../proto/wire/compression-id.ts';
import type { Client } from '../../client.ts';
import type { Producer } from '../../producer/producer.ts';
import type { ProducerRecord } from '../../producer/record.ts';
import type { SentBatch } from '../../producer/send-group.ts';
import { choiceOf, clusterOptions, wholeNumber, withClient } from '../cluster-option.ts';
import { LoadProgress } from '../load/load-progress.ts';
import { LoadValues } from '../load/load-values.ts';
import { sendSteadily } from '../load/steady-sends.ts';
import { exitCodes, type Verb, type VerbInput, type VerbOption } from '../verb.ts';

const writeOptions: readonly VerbOption[] = [
  { name: 'record-bytes', value: 'BYTES', meaning: 'Size of each value.', default: '1024' },
  { name: 'acks', value: 'LEVEL', meaning: `One of ${acksLevels.join(', ')}.`, default: 'all' },
  {
    name: 'compression',
    value: 'CODEC',
    meaning: `One of ${compressionNames.join(', ')}; the payload is random.`,
    default: 'none',
  },
];

export const benchProduceVerb: Verb = {
  name: 'bench produce',
  summary: 'Write random records as fast as they are acknowledged.',
  positionals: ['<topic>'],
  options: [
    { name: 'records', value: 'NUMBER', meaning: 'How many.', default: '1000000' },
    {
      name: 'batch',
      value: 'NUMBER',
      meaning: 'Records in each call; 1: one by one.',
      default: '1000',
    },
    { name: 'in-flight', value: 'NUMBER', meaning: 'Calls under way.', default: '64' },
    ...writeOptions,
    ...clusterOptions,
  ],
  examples: [
    'highwater bench produce load --records 1000000 --record-bytes 100',
    'highwater bench produce load --batch 1 --in-flight 10000 --acks leader',
  ],
  run: (input) => withClient(input, (client) => benchProduce(input, client)),
};

export const benchConsumeVerb: Verb = {
  name: 'bench consume',
  summary: 'Read a topic from its start, as fast as it comes.',
  positionals: ['<topic>'],
  options: [
    { name: 'records', value: 'NUMBER', meaning: 'How many at most; all that are there without.' },
    ...clusterOptions,
  ],
  examples: ['highwater bench consume load --records 1000000'],
  run: (input) => withClient(input, (client) => benchConsume(input, client)),
};

export const benchLatencyVerb: Verb = {
  name: 'bench latency',
  summary: 'Write at a steady rate; percentiles from the intended send to the acknowledgement.',
  positionals: ['<topic>'],
  options: [
    { name: 'rate', value: 'NUMBER', meaning: 'Records a second.', default: '1000' },
    { name: 'seconds', value: 'NUMBER', meaning: 'How long.', default: '10' },
    ...writeOptions,
    ...clusterOptions,
  ],
  examples: ['highwater bench latency load --rate 20000 --seconds 30 --acks semi-sync'],
  run: (input) => withClient(input, (client) => benchLatency(input, client)),
};

async function benchProduce(input: VerbInput, client: Client): Promise<number> {
  const [topic = ''] = input.positionals;
  const total = wholeNumber(input, 'records', 1) ?? 1;
  const size = wholeNumber(input, 'batch', 1) ?? 1;
  const inFlight = wholeNumber(input, 'in-flight', 1) ?? 1;
  const { producer, values, valueBytes } = writerOf(input, client);
  const progress = new LoadProgress(input.output, 'acknowledged');
  const underWay: Promise<SentBatch>[] = [];
  const oldest = async (): Promise<void> => {
    const count = (await underWay.shift())?.count ?? 0;
    progress.add(count, count * valueBytes);
  };
  for (let sent = 0; sent < total && !input.signal.aborted; ) {
    const records: ProducerRecord[] = [];
    for (const end = Math.min(total, sent + size); sent < end; sent++)
      records.push({ topic, value: values.at(sent) });
    underWay.push(producer.sendBatch(records));
    if (underWay.length >= inFlight) await oldest();
  }
  while (underWay.length > 0) await oldest();
  input.output.value(progress.summary());
  return input.signal.aborted ? exitCodes.interrupted : exitCodes.done;
}

async function benchConsume(input: VerbInput, client: Client): Promise<number> {
  const [topic = ''] = input.positionals;
  const total = wholeNumber(input, 'records', 1) ?? Number.POSITIVE_INFINITY;
  const { signal } = input;
  const reader = client.reader({ topic, from: 'earliest', to: 'latest', signal });
  const progress = new LoadProgress(input.output, 'read');
  for await (const batch of reader.batches()) {
    const cursor = batch.cursor();
    let records = 0;
    let bytes = 0;
    while (progress.records + records < total && cursor.next()) {
      records++;
      bytes += cursor.value()?.length ?? 0;
    }
    progress.add(records, bytes);
    if (progress.records >= total) break;
  }
  input.output.value(progress.summary());
  return exitCodes.done;
}

async function benchLatency(input: VerbInput, client: Client): Promise<number> {
  const [topic = ''] = input.positionals;
  const recordsPerSecond = wholeNumber(input, 'rate', 1) ?? 1;
  const seconds = wholeNumber(input, 'seconds', 1) ?? 1;
  const { producer, values, valueBytes } = writerOf(input, client);
  // The first record finds the leader; its time is not that of the others.
  await producer.send({ topic, value: values.at(0) });
  const progress = new LoadProgress(input.output, 'acknowledged');
  const { signal } = input;
  const onAck = (): void => progress.add(1, valueBytes);
  const plan = { topic, recordsPerSecond, seconds, signal, onAck };
  const { latency, failed, failure } = await sendSteadily(producer, values, plan);
  const { p50, p99, p999, max } = latency.summary();
  input.output.value({
    ...progress.summary(),
    failed,
    p50Ms: p50,
    p99Ms: p99,
    p999Ms: p999,
    maxMs: max,
  });
  if (failure !== undefined) throw failure;
  return signal.aborted ? exitCodes.interrupted : exitCodes.done;
}

interface LoadWriter {
  readonly producer: Producer;
  readonly values: LoadValues;
  readonly valueBytes: number;
}

function writerOf(input: VerbInput, client: Client): LoadWriter {
  const acks = choiceOf(input, 'acks', acksLevels) ?? 'all';
  const compression = choiceOf(input, 'compression', compressionNames) ?? 'none';
  const valueBytes = wholeNumber(input, 'record-bytes', 1) ?? 1;
  const producer = client.producer({ acks, compression });
  return { producer, values: new LoadValues(valueBytes), valueBytes };
}
