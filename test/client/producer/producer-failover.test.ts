import { afterEach, describe, expect, it } from 'vitest';
import { nodeId } from '../../../proto/model/ids.ts';
import { FakeCluster, type FakeTopic } from '../support/fake-cluster.ts';
import { rejection } from '../support/rejection.ts';

let cluster: FakeCluster;
afterEach(() => cluster.close());

const values = (topic: FakeTopic) => topic.partitions[0]?.values() ?? [];

function sendAll(
  producer: { send(record: { topic: string; value: string }): Promise<unknown> },
  from: number,
  to: number,
): Promise<unknown>[] {
  return Array.from({ length: to - from }, (_, n) =>
    producer.send({ topic: 'orders', value: String(from + n) }),
  );
}

const numbers = (to: number) => Array.from({ length: to }, (_, n) => String(n));

describe('when the leader', () => {
  it('is killed, records go to the next one, once and in order', async () => {
    cluster = new FakeCluster();
    const topic = cluster.createTopic('orders');
    const hw = await cluster.connect();
    const producer = hw.producer();
    await cluster.run(Promise.all(sendAll(producer, 0, 5)));
    const sends = sendAll(producer, 5, 10);
    await cluster.time.advance(0.3);
    cluster.network.crash('b1', true);
    cluster.brokers.delete(nodeId(1));
    sends.push(...sendAll(producer, 10, 15));
    await cluster.time.advance(400);
    cluster.elect(topic, 0, 2);
    await cluster.run(Promise.all(sends), 200);
    expect(values(topic)).toEqual(numbers(15));
  });

  it('stands still, records without a key go past it', async () => {
    cluster = new FakeCluster();
    const topic = cluster.createTopic('orders', 6);
    const hw = await cluster.connect();
    const producer = hw.producer();
    await cluster.run(Promise.all(sendAll(producer, 0, 5)));
    cluster.hang(1);
    let acknowledged = 0;
    const sends: Promise<unknown>[] = [];
    for (let turn = 0; turn < 40; turn++) {
      const sent = producer.send({ topic: 'orders', value: String(5 + turn) });
      sends.push(sent.then(() => acknowledged++));
      await cluster.time.advance(10);
    }
    // One record for each of its two partitions is what it takes to know.
    expect(acknowledged).toBeGreaterThanOrEqual(38);
    for (const partition of [0, 3]) cluster.elect(topic, partition, 2);
    await cluster.run(Promise.all(sends), 3_000);
    const all = topic.partitions.flatMap((partition) => partition.values());
    expect(
      all
        .map(Number)
        .sort((a, b) => a - b)
        .map(String),
    ).toEqual(numbers(45));
  });

  it('hangs and another is elected, what was on its way is sent again at once', async () => {
    cluster = new FakeCluster();
    const topic = cluster.createTopic('orders');
    const hw = await cluster.connect();
    const producer = hw.producer();
    await cluster.run(Promise.all(sendAll(producer, 0, 5)));
    cluster.hang(1);
    const sends = sendAll(producer, 5, 10);
    await cluster.time.advance(1_000);
    cluster.elect(topic, 0, 2);
    await cluster.run(Promise.all(sends), 3_000);
    expect(values(topic)).toEqual(numbers(10));
  });

  it('is hung for this client alone, the connection is given up and the next one serves', async () => {
    cluster = new FakeCluster();
    const topic = cluster.createTopic('orders');
    const hw = await cluster.connect();
    const producer = hw.producer();
    await cluster.run(Promise.all(sendAll(producer, 0, 5)));
    cluster.hang(1);
    const sends = sendAll(producer, 5, 10);
    await cluster.time.advance(5_000);
    cluster.network.release('client', 'b1');
    cluster.network.release('b1', 'client');
    await cluster.run(Promise.all(sends), 5_000);
    expect(values(topic)).toEqual(numbers(10));
  });

  it('is only slow to acknowledge, it is left in peace', async () => {
    cluster = new FakeCluster();
    const topic = cluster.createTopic('orders');
    const [partition] = topic.partitions;
    const hw = await cluster.connect();
    const producer = hw.producer();
    if (partition !== undefined) partition.isAckHeld = true;
    const sends = sendAll(producer, 0, 3);
    await cluster.time.advance(20_000);
    partition?.releaseAcks();
    await cluster.run(Promise.all(sends), 100);
    expect(values(topic)).toEqual(numbers(3));
    expect(cluster.brokers.get(nodeId(1))?.requests).toBe(1);
  });

  it('says that it leads no more, the metadata decides who is asked', async () => {
    cluster = new FakeCluster();
    const topic = cluster.createTopic('orders');
    const hw = await cluster.connect();
    const producer = hw.producer();
    await cluster.run(Promise.all(sendAll(producer, 0, 2)));
    topic.partitions[0]?.elect(nodeId(3));
    const sends = sendAll(producer, 2, 4);
    await cluster.time.advance(300);
    cluster.changed();
    await cluster.run(Promise.all(sends), 300);
    expect(values(topic)).toEqual(numbers(4));
  });

  it('is gone and has taken records with it, the uncertain ones fail and later ones go on', async () => {
    cluster = new FakeCluster();
    const topic = cluster.createTopic('orders');
    const [partition] = topic.partitions;
    const hw = await cluster.connect();
    const producer = hw.producer({ acks: 'leader' });
    await cluster.run(Promise.all(sendAll(producer, 0, 2)));
    if (partition !== undefined) partition.isAckHeld = true;
    const lost = sendAll(producer, 2, 4).map((send) => rejection(send));
    await cluster.time.advance(50);
    if (partition !== undefined) partition.isAckHeld = false;
    cluster.elect(topic, 0, 2, 2);
    const errors = await cluster.run(Promise.all(lost), 5_000);
    for (const error of errors) expect(error.outcome).toBe('maybe-written');
    await cluster.run(Promise.all(sendAll(producer, 4, 6)), 5_000);
    expect(values(topic)).toEqual(['4', '5']);
  });

  it('refuses for a while, every record waits and none is lost, doubled or late', async () => {
    cluster = new FakeCluster();
    const topic = cluster.createTopic('orders');
    topic.partitions[0]?.refusals.push('NOT_ENOUGH_REPLICAS', 'NOT_ENOUGH_REPLICAS', 'LEASE_LOST');
    const hw = await cluster.connect();
    const producer = hw.producer();
    await cluster.run(Promise.all(sendAll(producer, 0, 20)), 5_000);
    expect(values(topic)).toEqual(numbers(20));
  });
});

describe('when no leader ever answers', () => {
  it('a record fails at its deadline and says whether it may be written', async () => {
    cluster = new FakeCluster();
    const topic = cluster.createTopic('orders');
    cluster.elect(topic, 0, undefined);
    const hw = await cluster.connect();
    const producer = hw.producer({ deliveryTimeoutMs: 3_000 });
    const never = await cluster.run(rejection(producer.send({ topic: 'orders' })), 4_000);
    expect(never).toMatchObject({ code: 'DEADLINE_EXCEEDED', outcome: 'not-written' });
    cluster.elect(topic, 0, 1);
    await cluster.time.advance(10);
    cluster.hang(1);
    const unknown = await cluster.run(rejection(producer.send({ topic: 'orders' })), 4_000);
    expect(unknown).toMatchObject({ code: 'DEADLINE_EXCEEDED', outcome: 'maybe-written' });
  });

  it('memory stays below its bound, and what does not fit is refused or waits', async () => {
    cluster = new FakeCluster();
    cluster.createTopic('orders');
    const hw = await cluster.connect();
    const bufferBytesMax = 1024 * 1024;
    const producer = hw.producer({ bufferBytesMax, closeTimeoutMs: 100 });
    for (let id = 1; id <= 3; id++) cluster.hang(id);
    let overloaded = 0;
    let isReady = false;
    for (let n = 0; n < 5_000; n++) {
      producer.send({ topic: 'orders', value: Buffer.alloc(1024) }).catch((error: unknown) => {
        if ((error as { code: string }).code === 'OVERLOADED') overloaded++;
      });
    }
    void producer.ready().then(() => {
      isReady = true;
    });
    await cluster.time.advance(1_000);
    expect(producer.bufferedBytes).toBeLessThan(bufferBytesMax + 1024 * 1024);
    expect(overloaded).toBeGreaterThan(2_000);
    expect(isReady).toBe(false);
    for (let id = 1; id <= 3; id++) {
      cluster.network.release('client', `b${id}`);
      cluster.network.release(`b${id}`, 'client');
    }
    await cluster.run(producer.flush(), 10_000);
    expect(isReady).toBe(true);
    expect(producer.bufferedBytes).toBe(0);
  });

  it('close returns in bounded time and fails what is left', async () => {
    cluster = new FakeCluster();
    cluster.createTopic('orders');
    const hw = await cluster.connect();
    const producer = hw.producer({ closeTimeoutMs: 2_000 });
    await cluster.run(producer.send({ topic: 'orders' }));
    for (let id = 1; id <= 3; id++) cluster.hang(id);
    const left = rejection(producer.send({ topic: 'orders' }));
    await cluster.time.advance(10);
    await cluster.run(hw.close(), 3_000);
    expect(await cluster.run(left, 1)).toMatchObject({ code: 'CLOSED', outcome: 'maybe-written' });
    const late = await cluster.run(rejection(producer.send({ topic: 'orders' })), 1);
    expect(late).toMatchObject({ code: 'CLOSED', outcome: 'not-written' });
  });
});
