import { afterEach, expect, it } from 'vitest';
import { FakeCluster } from '../support/fake-cluster.ts';
import { rejection } from '../support/rejection.ts';

let cluster: FakeCluster;
afterEach(() => cluster.close());

/** More than a turn places: 5 MB in records of 1 KB. */
const count = 5_000;

/** A producer that has met its topic, and so many records. */
async function open() {
  cluster = new FakeCluster();
  const topic = cluster.createTopic('orders');
  const hw = await cluster.connect();
  const producer = hw.producer();
  await cluster.run(producer.send({ topic: 'orders', value: 'first' }));
  const records = Array.from({ length: count }, (_, at) => ({
    topic: 'orders',
    value: String(at).padEnd(1_000),
  }));
  const stored = (): string[] =>
    (topic.partitions[0]?.values() ?? []).slice(1).map((value) => value.trim());
  return { producer, records, stored };
}

const inOrder = Array.from({ length: count }, (_, at) => String(at));

it('are put into batches over several turns, and what is sent later does not overtake', async () => {
  const { producer, records, stored } = await open();
  const sent = producer.sendBatch(records);
  const later = producer.send({ topic: 'orders', value: 'later' });
  const alsoLater = producer.sendBatch([{ topic: 'orders', value: 'also later' }]);
  expect(producer.bufferedBytes).toBeLessThan(2_000_000);
  expect((await cluster.run(sent)).count).toBe(count);
  await cluster.run(Promise.all([later, alsoLater]));
  expect(stored()).toEqual([...inOrder, 'later', 'also later']);
});

it('are all written though the list was emptied and the producer closed meanwhile', async () => {
  const { producer, records, stored } = await open();
  const sent = producer.sendBatch(records);
  records.length = 0;
  await cluster.run(producer.close());
  expect((await cluster.run(sent)).count).toBe(count);
  expect(stored()).toEqual(inOrder);
});

it('are waited for by a flush that begins before all of them are in batches', async () => {
  const { producer, records, stored } = await open();
  void producer.sendBatch(records);
  await cluster.run(producer.flush());
  expect(stored()).toEqual(inOrder);
});

it('that are no records or were given up fail one by one, and the others are written', async () => {
  const { producer, records, stored } = await open();
  const stop = new AbortController();
  const given = rejection(producer.sendBatch(records, { signal: stop.signal }));
  stop.abort();
  expect((await cluster.run(given)).code).toBe('CANCELLED');
  const wrong = [
    { topic: 'orders', value: 1 as never },
    { topic: 'orders', value: 'right' },
  ];
  const failed = await cluster.run(rejection(producer.sendBatch(wrong)));
  expect(failed).toMatchObject({ code: 'INVALID_REQUEST', facts: { written: '1', failed: '1' } });
  await cluster.run(producer.flush());
  expect(stored().at(-1)).toBe('right');
  expect(stored().length).toBeLessThan(count);
});
