import { afterEach, expect, it } from 'vitest';
import type { ReadRecord } from '../../../client/reader/read-record.ts';
import { FakeCluster } from '../support/fake-cluster.ts';

let cluster: FakeCluster;
afterEach(() => cluster.close());

/** A member that has taken `count` records of one partition. */
async function memberAt(count: number) {
  cluster = new FakeCluster();
  cluster.createTopic('orders');
  const hw = await cluster.connect();
  const producer = hw.producer();
  for (let at = 0; at < 10; at++)
    await cluster.run(producer.send({ topic: 'orders', value: String(at) }));
  const consumer = hw.consumer({ group: 'billing', topics: ['orders'], from: 'earliest' });
  const iterator = consumer[Symbol.asyncIterator]();
  const take = async (): Promise<ReadRecord> => {
    const step = await cluster.run(iterator.next());
    if (step.done === true) throw new Error('the loop ended');
    return step.value;
  };
  const taken: ReadRecord[] = [];
  while (taken.length < count) taken.push(await take());
  return { consumer, take, taken };
}

function last(records: readonly ReadRecord[]): ReadRecord {
  const record = records.at(-1);
  if (record === undefined) throw new Error('no record');
  return record;
}

it('a commit that was under way at a seek does not stand for those that follow', async () => {
  const { consumer, take, taken } = await memberAt(6);
  cluster.takesCommits = false;
  const before = consumer.commit(last(taken));
  await cluster.time.advance(100);
  consumer.seek({ topic: 'orders', partition: 0, offset: 2n });
  cluster.takesCommits = true;
  await cluster.run(before);
  const again = await take();
  expect(again.text()).toBe('2');
  await cluster.run(consumer.commit(again));
  expect(cluster.commits).toEqual([6, 3]);
});

it('a commit that was not sent at a seek is not sent in the place of those that follow', async () => {
  const { consumer, take, taken } = await memberAt(6);
  cluster.takesCommits = false;
  const [first] = taken;
  const commits = [consumer.commit(first)];
  await cluster.time.advance(100);
  commits.push(consumer.commit(last(taken)));
  consumer.seek({ topic: 'orders', partition: 0, offset: 2n });
  const again = await take();
  commits.push(consumer.commit(again));
  cluster.takesCommits = true;
  await cluster.run(Promise.all(commits));
  expect(cluster.commits).toEqual([1, 6, 3]);
});
