/** Everybody who takes part in the throughput rows. */
import { kafkaProduce } from '../peers/kafka-tools.ts';
import type { Contestant, Load, Shown } from './contestant.ts';
import { CpuMeter } from './cpu-meter.ts';
import type { KafkaSide, NatsSide, Systems } from './systems.ts';

/** The settings of Kafka's Java producer that were fastest in trials. */
const tuned = { 'batch.size': 262_144, 'linger.ms': 10, 'buffer.memory': 64 * 1024 * 1024 };
/** Sends under way of Kafka's Node client in the batch form; more did not help it. */
const batchesInFlight = 5;

/** What our client has under way in the batch form: `sendBatch` calls of 1 MiB. */
export const batchBytesInFlight = 16 * 1024 * 1024;

/** Payload that a batch form writes at least. */
const batchFormBytes = 20e6;

function recordsMin(form: 'batch' | 'send', { valueBytes }: Load): number {
  return form === 'send' ? 5_000 : Math.round(batchFormBytes / valueBytes);
}

let topics = 0;

function freshName(system: string): string {
  return `${system}-${topics++}`;
}

interface OurForm {
  readonly form: 'batch' | 'send';
  readonly inFlight: number;
}

/** The public client: batches, or a promise for each record. */
export function ours({ ours: side }: Systems, load: Load, { form, inFlight }: OurForm): Contestant {
  return {
    name: form === 'batch' ? 'highwater sendBatch' : `highwater send, ${inFlight} in flight`,
    system: 'highwater',
    guess: form === 'batch' ? 50_000 : 20_000,
    recordsMin: recordsMin(form, load),
    run: (count) =>
      side.withTopic(load, async (topic) => {
        // No keys, as with the others: each client spreads its batches over the partitions.
        const request = { ...topic, form, inFlight, count, acks: 'all', isKeyed: false } as const;
        return side.produce({ kind: 'produce', ...request });
      }),
  };
}

/** `ProducerPerformance` with its defaults, or tuned. */
export function kafkaJava(side: KafkaSide, load: Load, kind: 'default' | 'tuned'): Contestant {
  return {
    name: `kafka java, ${kind}`,
    system: 'kafka',
    guess: 20_000,
    recordsMin: recordsMin('batch', load),
    run: (count) =>
      withKafkaTopic(side, load, async (topic) => {
        const { bootstrap } = side.cluster;
        const warmUp = Math.round(count / 10);
        const job = { bootstrap, topic, recordBytes: load.valueBytes, warmUp, records: count };
        const settings = kind === 'tuned' ? tuned : {};
        const meter = new CpuMeter(side.cluster.nodes, side.tools);
        const { recordsPerSecond } = await kafkaProduce(side.tools, { ...job, settings });
        const written = count + warmUp;
        return { written, shown: { recordsPerSecond, ...meter.perGB(written, load) } };
      }),
  };
}

/** `@platformatic/kafka`. */
export function kafkaNode(side: KafkaSide, load: Load, { form, inFlight }: OurForm): Contestant {
  const own = form === 'batch' ? batchesInFlight : inFlight;
  return {
    name: form === 'batch' ? 'kafka node, batches' : `kafka node send, ${own} in flight`,
    system: 'kafka',
    guess: form === 'batch' ? 20_000 : 3_000,
    recordsMin: recordsMin(form, load),
    run: (count) =>
      withKafkaTopic(side, load, async (topic) => {
        const { partitions, valueBytes } = load;
        const servers = side.cluster.bootstrap.split(',');
        const request = { servers, topic, partitions, valueBytes, count, form, inFlight: own };
        const meter = new CpuMeter(side.cluster.nodes, side.nodeClient);
        const { seconds } = await side.nodeClient.ask({ kind: 'produce', ...request });
        const shown = { recordsPerSecond: count / seconds, ...meter.perGB(count, load) };
        return { written: count, shown };
      }),
  };
}

/** JetStream, replicated three times, one publish for each record. */
export function natsNode(side: NatsSide, valueBytes: number, inFlight: number): Contestant {
  return {
    name: `nats node publish, ${inFlight} in flight`,
    system: 'nats',
    guess: 5_000,
    recordsMin: 10_000,
    async run(count) {
      const topic = freshName('nats');
      await side.cluster.createStream(topic);
      const { servers } = side.cluster;
      const request = { servers, topic, partitions: 1, valueBytes, count, inFlight };
      const meter = new CpuMeter(side.cluster.nodes, side.nodeClient);
      const { seconds } = await side.nodeClient.ask({ kind: 'produce', form: 'send', ...request });
      const shown = { recordsPerSecond: count / seconds, ...meter.perGB(count, { valueBytes }) };
      expectCount(topic, await side.cluster.count(topic), count);
      await side.cluster.deleteStream(topic);
      return shown;
    },
  };
}

async function withKafkaTopic(
  { cluster }: KafkaSide,
  { partitions, flush }: Load,
  run: (topic: string) => Promise<{ readonly shown: Shown; readonly written: number }>,
): Promise<Shown> {
  const topic = freshName('kafka');
  await cluster.createTopic(topic, partitions, flush === 'ack');
  const { shown, written } = await run(topic);
  expectCount(topic, await cluster.count(topic), written);
  await cluster.deleteTopic(topic);
  return shown;
}

/** A producer that retries without idempotence may write a record twice; none may be missing. */
function expectCount(topic: string, found: number, written: number): void {
  if (found < written) throw new Error(`${topic} holds ${found} records of ${written}`);
}
