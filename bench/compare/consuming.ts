/** Reading back a topic of 1 KB records from its start: our consumer, and Kafka's own tool. */
import { kafkaConsume, kafkaProduce } from '../peers/kafka-tools.ts';
import { batchBytesInFlight } from './contestants.ts';
import { duelLoad as load } from './duel-load.ts';
import type { KafkaSide, Systems } from './systems.ts';

const { valueBytes } = load;

/** MB/s of each round. */
export async function ourConsume(
  { ours }: Systems,
  count: number,
  rounds: number,
): Promise<number[]> {
  return ours.withTopic(load, async (topic) => {
    const request = {
      ...topic,
      form: 'batch',
      inFlight: batchBytesInFlight,
      count,
      acks: 'all',
      isKeyed: false,
    } as const;
    await ours.produce({ kind: 'produce', ...request });
    const found: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const group = `${topic.topic}-${round}`;
      const job = { ...topic, group, count, isTimed: false, warmUp: 0 } as const;
      const { seconds, tally } = await ours.consumer.ask({ kind: 'consume', ...job });
      if (tally.records !== count) throw new Error(`consumed ${tally.records} records of ${count}`);
      found.push((count * valueBytes) / 1e6 / seconds);
    }
    return found;
  });
}

/** MB/s of each round, as `ConsumerPerformance` counts while it fetches. */
export async function kafkaConsuming(
  { cluster, tools }: KafkaSide,
  count: number,
  rounds: number,
): Promise<number[]> {
  const topic = 'kafka-consume';
  const { bootstrap } = cluster;
  await cluster.createTopic(topic, 1, false);
  const settings = { 'batch.size': 262_144, 'linger.ms': 10 };
  const job = { bootstrap, topic, records: count, warmUp: 0, recordBytes: valueBytes, settings };
  await kafkaProduce(tools, job);
  const found: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const { records, megabytesPerSecond } = await kafkaConsume(tools, {
      bootstrap,
      topic,
      records: count,
    });
    if (records < count) throw new Error(`Kafka's consumer had ${records} records of ${count}`);
    found.push(megabytesPerSecond);
  }
  await cluster.deleteTopic(topic);
  return found;
}
