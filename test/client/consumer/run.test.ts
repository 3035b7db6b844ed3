import { afterEach, expect, it } from 'vitest';
import { HighwaterError } from '../../../proto/model/errors.ts';
import { nodeId } from '../../../proto/model/ids.ts';
import { FakeCluster } from '../support/fake-cluster.ts';
import { rejection } from '../support/rejection.ts';

let cluster: FakeCluster;
afterEach(() => cluster.close());

it('records that waited for a handler when another partition failed are handled by the next run', async () => {
  cluster = new FakeCluster();
  const topic = cluster.createTopic('orders', 2);
  const hw = await cluster.connect();
  const producer = hw.producer();
  for (let at = 0; at < 8; at++)
    await cluster.run(producer.send({ topic: 'orders', partition: 0, value: String(at) }));
  await cluster.run(producer.send({ topic: 'orders', partition: 1, value: 'lost' }));
  const consumer = hw.consumer({ group: 'billing', topics: ['orders'], from: 'earliest' });
  const handled: string[] = [];
  let goOn = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const first = rejection(
    consumer.run(async (record) => {
      if (record.partition === 1) return;
      if (record.text() === '2') await held;
      handled.push(record.text());
    }),
  );
  await cluster.time.advance(2_000);
  expect(handled).toEqual(['0', '1']);
  cluster.elect(topic, 1, 3, 1);
  await cluster.time.advance(2_000);
  goOn();
  expect((await cluster.run(first)).code).toBe('POSITION_LOST');
  void consumer.run((record) => {
    handled.push(record.text());
  });
  await cluster.time.advance(2_000);
  expect(handled).toEqual(['0', '1', '2', '3', '4', '5', '6', '7']);
  expect(cluster.commits.at(-1)).toBe(8);
});

it('every partition that a broker refuses for good is told, not every other one', async () => {
  cluster = new FakeCluster(1);
  cluster.createTopic('orders', 4);
  const hw = await cluster.connect();
  const consumer = hw.consumer({ group: 'billing', topics: ['orders'], from: 'earliest' });
  const told: unknown[] = [];
  void (async () => {
    for (let at = 0; at < 4; at++)
      told.push((await rejection(consumer.run(() => undefined))).facts['partition']);
  })();
  await cluster.time.advance(1_000);
  const refusal = new HighwaterError('PERMISSION_DENIED', 'not any more');
  cluster.brokers.get(nodeId(1))?.endFetches(refusal);
  await cluster.time.advance(1_000);
  expect(told).toEqual(['0', '1', '2', '3']);
});

it('a run whose consumer is closed between two attempts at a record resolves, and the record is not committed', async () => {
  cluster = new FakeCluster();
  cluster.createTopic('orders');
  const hw = await cluster.connect();
  await cluster.run(hw.producer().send({ topic: 'orders', value: 'v' }));
  const consumer = hw.consumer({ group: 'billing', topics: ['orders'], from: 'earliest' });
  const deadLetter = { topic: 'failed', retries: 9, retryPauseMs: 10_000 };
  const running = consumer.run(() => Promise.reject(new Error('no')), { deadLetter });
  await cluster.time.advance(2_000);
  await cluster.run(consumer.close());
  await expect(cluster.run(running)).resolves.toBeUndefined();
  expect(cluster.commits).toEqual([]);
});
