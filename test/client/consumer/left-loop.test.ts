import { afterEach, expect, it } from 'vitest';
import type { ReadRecord } from '../../../client/reader/read-record.ts';
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

it('a record that was committed is not handed out again, wherever its loop was left', async () => {
  cluster = new FakeCluster();
  cluster.createTopic('orders');
  const hw = await cluster.connect();
  const producer = hw.producer();
  for (const value of ['1', '2', '3', '4'])
    await cluster.run(producer.send({ topic: 'orders', value }));
  const consumer = hw.consumer({ group: 'billing', topics: ['orders'], from: 'earliest' });
  const takeOne = async (): Promise<ReadRecord> => {
    for await (const record of consumer) return record;
    throw new Error('the loop ended');
  };
  const committedAfter = await cluster.run(takeOne());
  await cluster.run(consumer.commit(committedAfter));
  const committedWithin = cluster.run(
    (async () => {
      for await (const record of consumer) {
        await consumer.commit(record);
        return record;
      }
      throw new Error('the loop ended');
    })(),
  );
  expect((await committedWithin).text()).toBe('2');
  const neverCommitted = await cluster.run(takeOne());
  expect(neverCommitted.text()).toBe('3');
  // Of this course, if handled before: it was handed out, and says nothing new.
  await cluster.run(consumer.commit(committedAfter));
  expect((await cluster.run(takeOne())).text()).toBe('3');
  expect(cluster.commits).toEqual([1, 2]);
});

it('what a listener throws is thrown to the loop, and the member stays', async () => {
  cluster = new FakeCluster();
  cluster.createTopic('orders');
  const hw = await cluster.connect();
  const producer = hw.producer();
  await cluster.run(producer.send({ topic: 'orders', value: '1' }));
  const consumer = hw.consumer({
    group: 'billing',
    topics: ['orders'],
    from: 'earliest',
    onEvent: () => {
      throw new Error('of the listener');
    },
  });
  const takeOne = async (): Promise<string> => {
    for await (const record of consumer) return record.text();
    return 'the loop ended';
  };
  await expect(cluster.run(takeOne())).rejects.toThrow('of the listener');
  expect(await cluster.run(takeOne())).toBe('1');
});
