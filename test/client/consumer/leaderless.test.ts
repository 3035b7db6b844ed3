import { afterEach, expect, it } from 'vitest';
import { FakeCluster } from '../support/fake-cluster.ts';

let cluster: FakeCluster;
afterEach(() => cluster.close());

it('a new group reads what has a leader, and the rest once it has one', async () => {
  cluster = new FakeCluster();
  const topic = cluster.createTopic('orders', 3);
  const hw = await cluster.connect();
  const producer = hw.producer();
  for (const partition of [0, 1, 2])
    await cluster.run(producer.send({ topic: 'orders', partition, value: String(partition) }));
  cluster.elect(topic, 1, undefined);
  const consumer = hw.consumer({ group: 'billing', topics: ['orders'], from: 'earliest' });
  const texts: string[] = [];
  void (async () => {
    for await (const record of consumer) texts.push(record.text());
  })();
  await cluster.time.advance(5_000);
  expect(texts.sort()).toEqual(['0', '2']);
  await cluster.time.advance(60_000);
  cluster.elect(topic, 1, 3);
  await cluster.time.advance(5_000);
  expect(texts.sort()).toEqual(['0', '1', '2']);
});
