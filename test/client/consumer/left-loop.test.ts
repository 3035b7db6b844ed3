import { afterEach, expect, it } from 'vitest';
import { FakeCluster } from '../support/fake-cluster.ts';

let cluster: FakeCluster;
afterEach(() => cluster.close());

it('a record that comes for a loop that was left goes to the next loop', async () => {
  cluster = new FakeCluster();
  cluster.createTopic('orders');
  const hw = await cluster.connect();
  const consumer = hw.consumer({ group: 'billing', topics: ['orders'], from: 'earliest' });
  const left = consumer[Symbol.asyncIterator]();
  const asked = left.next();
  await cluster.time.advance(1_000);
  await left.return?.();
  const texts: string[] = [];
  void (async () => {
    for await (const record of consumer) texts.push(record.text());
  })();
  const producer = hw.producer();
  for (const value of ['1', '2']) {
    await cluster.run(producer.send({ topic: 'orders', value }));
    await cluster.time.advance(1_000);
  }
  expect(texts).toEqual(['1', '2']);
  expect(await cluster.run(asked)).toEqual({ value: undefined, done: true });
});

it('what a loop has finished when it is left is committed by close', async () => {
  cluster = new FakeCluster();
  cluster.createTopic('orders');
  const hw = await cluster.connect();
  const producer = hw.producer();
  for (const value of ['1', '2', '3']) await cluster.run(producer.send({ topic: 'orders', value }));
  const options = { group: 'billing', topics: ['orders'], from: 'earliest' } as const;
  const consumer = hw.consumer({ ...options, autoCommit: true });
  const left = (async () => {
    for await (const record of consumer) if (record.text() === '3') break;
  })();
  await cluster.run(left);
  await cluster.run(consumer.close());
  expect(cluster.commits).toEqual([2]);
});
