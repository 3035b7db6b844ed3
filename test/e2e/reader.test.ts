/** What a reader does when what it reads changes under it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../../broker/main/cluster.ts';
import { type Client, connect, type ReadRecord } from '../../client/index.ts';

let cluster: Cluster;
let hw: Client;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 3, settings: { 'session-ms': '600' } });
  hw = await connect({ brokers: cluster.brokers });
});

afterAll(async () => {
  await hw.close();
  await cluster.close();
});

/** The next so many values; the reader goes on to live. */
async function next(records: AsyncIterator<ReadRecord>, count: number): Promise<string[]> {
  const values: string[] = [];
  while (values.length < count) {
    const step: IteratorResult<ReadRecord, unknown> = await records.next();
    if (step.done === true) break;
    values.push(step.value.text());
  }
  return values;
}

async function createTopic(topic: string): Promise<void> {
  await hw.admin.createTopic({ name: topic, partitions: 1, replicationFactor: 3 });
  const producer = hw.producer();
  for (const value of ['0', '1', '2', '3']) await producer.send({ topic, value });
}

it('goes on where it was told to when its offset is not kept', async () => {
  const topic = 'cut';
  await createTopic(topic);
  await hw.admin.deleteRecords({ topic, partition: 0, before: 2n });
  const from = { offset: 0n };
  const strict = hw.reader({ topic, from });
  await expect(next(strict[Symbol.asyncIterator](), 1)).rejects.toMatchObject({
    code: 'OFFSET_OUT_OF_RANGE',
  });
  const early = hw.reader({ topic, from, onOutOfRange: 'earliest' });
  expect(await next(early[Symbol.asyncIterator](), 2)).toEqual(['2', '3']);
  const late = hw.reader({ topic, from: { offset: 99n }, onOutOfRange: 'latest' });
  const awaited = next(late[Symbol.asyncIterator](), 1);
  const sending = setInterval(() => void hw.producer().send({ topic, value: 'later' }), 50);
  expect(await awaited).toEqual(['later']);
  clearInterval(sending);
});

it('reads the partitions that its topic is given later, from their beginning', async () => {
  const topic = 'grown';
  await createTopic(topic);
  const records = hw.reader({ topic })[Symbol.asyncIterator]();
  expect(await next(records, 4)).toEqual(['0', '1', '2', '3']);
  await hw.admin.addPartitions(topic, 3);
  const producer = hw.producer();
  for (const partition of [1, 2])
    await producer.send({ topic, partition, value: `in ${partition}` });
  expect((await next(records, 2)).sort()).toEqual(['in 1', 'in 2']);
});
