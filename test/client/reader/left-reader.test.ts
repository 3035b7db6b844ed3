import { afterEach, expect, it } from 'vitest';
import { FakeCluster } from '../support/fake-cluster.ts';
import { rejection } from '../support/rejection.ts';

let cluster: FakeCluster;
afterEach(() => cluster.close());

async function open(records = 0) {
  cluster = new FakeCluster();
  const topic = cluster.createTopic('orders');
  const hw = await cluster.connect();
  const producer = hw.producer();
  for (let at = 0; at < records; at++)
    await cluster.run(producer.send({ topic: 'orders', value: String(at) }));
  return { hw, partition: topic.partitions[0] };
}

it('a loop that is left while it waits for a record ends at once', async () => {
  const { hw } = await open();
  for (const each of ['records', 'batches'] as const) {
    const reader = hw.reader({ topic: 'orders' });
    const iterator: AsyncIterator<unknown> =
      each === 'records' ? reader[Symbol.asyncIterator]() : reader.batches();
    const asked = iterator.next();
    await cluster.time.advance(1_000);
    await cluster.run(Promise.resolve(iterator.return?.()), 100);
    expect(await cluster.run(asked, 100)).toEqual({ value: undefined, done: true });
  }
});

it('a loop that is left before it has begun closes its reader', async () => {
  const { hw, partition } = await open(1);
  const reader = hw.reader({ topic: 'orders' });
  await reader.batches().return(undefined);
  const again = reader[Symbol.asyncIterator]().next();
  expect(await cluster.run(again, 1_000)).toEqual({ value: undefined, done: true });
  await cluster.time.advance(1_000);
  expect(partition?.watchers.size).toBe(0);
});

it('a reader that is closed while it starts reads nothing and ends its loop', async () => {
  const { hw, partition } = await open(10);
  const reader = hw.reader({ topic: 'orders', from: { offset: 0n } });
  const asked = reader[Symbol.asyncIterator]().next();
  await reader.close();
  expect(await cluster.run(asked, 1_000)).toEqual({ value: undefined, done: true });
  await cluster.time.advance(1_000);
  expect(partition?.watchers.size).toBe(0);
});

it('a reader whose signal is aborted hands out nothing more and leaves the brokers', async () => {
  const { hw, partition } = await open(10);
  const stop = new AbortController();
  const reader = hw.reader({ topic: 'orders', signal: stop.signal });
  const iterator = reader[Symbol.asyncIterator]();
  await cluster.run(iterator.next());
  await cluster.time.advance(1_000);
  stop.abort();
  await cluster.time.advance(1_000);
  expect(partition?.watchers.size).toBe(0);
  expect(await cluster.run(rejection(iterator.next()))).toMatchObject({ code: 'CANCELLED' });
});

it('a reader that has failed leaves the brokers, however long its loop takes', async () => {
  cluster = new FakeCluster();
  const topic = cluster.createTopic('orders', 2);
  const hw = await cluster.connect();
  const producer = hw.producer();
  for (const partition of [0, 1])
    await cluster.run(producer.send({ topic: 'orders', partition, value: String(partition) }));
  const iterator = hw.reader({ topic: 'orders' })[Symbol.asyncIterator]();
  await cluster.run(iterator.next());
  await cluster.time.advance(1_000);
  cluster.elect(topic, 1, 3, 1);
  await cluster.time.advance(2_000);
  expect(topic.partitions.map(({ watchers }) => watchers.size)).toEqual([0, 0]);
  await cluster.run(iterator.next());
  const error = await cluster.run(rejection(iterator.next()));
  expect(error.code).toBe('POSITION_LOST');
});
