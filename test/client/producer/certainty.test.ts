import { afterEach, describe, expect, it } from 'vitest';
import { FakeCluster } from '../support/fake-cluster.ts';
import { rejection } from '../support/rejection.ts';

let cluster: FakeCluster;
afterEach(() => cluster.close());

async function open(partitions = 1) {
  cluster = new FakeCluster();
  const topic = cluster.createTopic('orders', partitions);
  const hw = await cluster.connect();
  return { topic, producer: hw.producer({ acks: 'leader' }), partition: topic.partitions[0] };
}

describe('certainty in stages', () => {
  it('follows an early ack, and says so when it does not come in time', async () => {
    const { producer, partition } = await open();
    const receipt = await cluster.run(producer.send({ topic: 'orders', value: 'v' }));
    expect(await cluster.run(receipt.reached('all'))).toMatchObject({ storedBy: [1, 2, 3] });
    if (partition !== undefined) partition.replicasStored = 2;
    await cluster.run(receipt.reached('semi-sync'));
    const late = await cluster.run(rejection(receipt.reached('all', { timeoutMs: 1_000 })), 3_000);
    expect(late).toMatchObject({ code: 'ACK_TIMEOUT', facts: { storedBy: '1,2' } });
  });

  it('is never claimed under another leader', async () => {
    const { topic, producer } = await open();
    const receipt = await cluster.run(producer.send({ topic: 'orders', value: 'v' }));
    cluster.elect(topic, 0, 2, 1);
    const error = await cluster.run(rejection(receipt.reached('all')), 2_000);
    expect(error.code).toBe('LEADERSHIP_LOST');
  });

  it('at a barrier is told for each partition that was written', async () => {
    const { topic, producer, partition } = await open(3);
    for (const number of [0, 1]) void producer.send({ topic: 'orders', partition: number });
    if (partition !== undefined) partition.replicasStored = 1;
    const results = await cluster.run(producer.barrier({ replicas: 3, timeoutMs: 500 }), 2_000);
    expect(results).toEqual([
      { topic: 'orders', partition: 0, endOffset: 1n, isReached: false, storedBy: [1], isrSize: 3 },
      {
        topic: 'orders',
        partition: 1,
        endOffset: 1n,
        isReached: true,
        storedBy: [1, 2, 3],
        isrSize: 3,
      },
    ]);
    expect(topic.partitions[2]?.end).toBe(0);
  });
});

describe('an atomic batch', () => {
  it('is one batch of one partition, apart from what comes before and behind it', async () => {
    const { producer, partition } = await open();
    void producer.send({ topic: 'orders', value: 'before' });
    const records = ['a', 'b', 'c'].map((value) => ({ topic: 'orders', value }));
    const atomic = producer.sendBatch(records, { atomic: true });
    await cluster.time.settle();
    void producer.send({ topic: 'orders', value: 'behind' });
    await cluster.run(Promise.all([atomic, producer.flush()]));
    expect(partition?.batches.map(({ header }) => header.recordCount)).toEqual([1, 3, 1]);
    const wide = [{ topic: 'orders' }, { topic: 'orders', partition: 0 }];
    const error = await cluster.run(rejection(producer.sendBatch(wide, { atomic: true })));
    expect(error).toMatchObject({ code: 'INVALID_REQUEST', outcome: 'not-written' });
  });

  it('with an expected offset is written only there, also over a retry', async () => {
    const { producer, partition } = await open();
    const write = (value: string, expectedOffset: bigint) =>
      producer.sendBatch([{ topic: 'orders', value }], { expectedOffset });
    await cluster.run(write('0', 0n));
    const error = await cluster.run(rejection(write('never', 0n)));
    expect(error).toMatchObject({ code: 'OFFSET_MISMATCH', outcome: 'not-written' });
    if (partition !== undefined) partition.isAckHeld = true;
    const retried = write('1', 1n);
    await cluster.time.advance(20);
    cluster.network.disconnect('client', 'b1');
    if (partition !== undefined) partition.isAckHeld = false;
    const sent = await cluster.run(retried, 5_000);
    expect(sent.ranges).toMatchObject([{ baseOffset: 1n, isDuplicate: true }]);
    expect(partition?.values()).toEqual(['0', '1']);
  });
});
