import { afterEach, describe, expect, it } from 'vitest';
import { nodeId } from '../../../proto/model/ids.ts';
import { FakeCluster } from '../support/fake-cluster.ts';
import { rejection } from '../support/rejection.ts';

let cluster: FakeCluster;
afterEach(() => cluster.close());

const requestsOf = (id: number) => cluster.brokers.get(nodeId(id))?.requests ?? 0;

describe('a producer', () => {
  it('gets a receipt for a record', async () => {
    cluster = new FakeCluster();
    const topic = cluster.createTopic('orders', 1);
    const hw = await cluster.connect();
    const producer = hw.producer();
    const receipt = await cluster.run(producer.send({ topic: 'orders', key: 'k', value: 'v' }));
    expect(receipt).toMatchObject({ topic: 'orders', partition: 0, offset: 0n, leaderEpoch: 1 });
    expect(topic.partitions[0]?.values()).toEqual(['v']);
  });

  it('sends at once when idle, and gathers records while requests are on their way', async () => {
    cluster = new FakeCluster(1);
    const topic = cluster.createTopic('orders', 1);
    const hw = await cluster.connect();
    const producer = hw.producer();
    await cluster.run(producer.send({ topic: 'orders', value: 'first' }));
    expect(requestsOf(1)).toBe(1);
    const sends = Array.from({ length: 10_000 }, (_, n) =>
      producer.send({ topic: 'orders', value: String(n) }),
    );
    await cluster.run(Promise.all(sends));
    expect(requestsOf(1)).toBeLessThan(10);
    expect(topic.partitions[0]?.values().slice(1)).toEqual(sends.map((_, n) => String(n)));
  });

  it('puts the partitions of one leader into one message', async () => {
    cluster = new FakeCluster(1);
    cluster.createTopic('orders', 50);
    const hw = await cluster.connect();
    const producer = hw.producer();
    const sends = Array.from({ length: 50 }, (_, partition) =>
      producer.send({ topic: 'orders', partition, value: 'v' }),
    );
    await cluster.run(Promise.all(sends));
    expect(requestsOf(1)).toBe(1);
  });

  it('keeps records of one key in one partition, in order', async () => {
    cluster = new FakeCluster();
    const topic = cluster.createTopic('orders', 6);
    const hw = await cluster.connect();
    const producer = hw.producer();
    const sends = Array.from({ length: 300 }, (_, n) =>
      producer.send({ topic: 'orders', key: `k${n % 3}`, value: `${n % 3}:${n}` }),
    );
    await cluster.run(Promise.all(sends));
    for (const key of ['0', '1', '2']) {
      const homes = topic.partitions.filter((one) =>
        one.values().some((value) => value.startsWith(`${key}:`)),
      );
      expect(homes).toHaveLength(1);
      const numbers = (homes[0]?.values() ?? [])
        .filter((value) => value.startsWith(`${key}:`))
        .map((value) => Number(value.slice(2)));
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
      expect(numbers).toHaveLength(100);
    }
  });

  it('spreads records without a key over the partitions, a batch at a time', async () => {
    cluster = new FakeCluster(1);
    const topic = cluster.createTopic('orders', 3);
    const hw = await cluster.connect();
    const producer = hw.producer();
    for (let round = 0; round < 30; round++) {
      const sends = Array.from({ length: 10 }, () => producer.send({ topic: 'orders' }));
      await cluster.run(Promise.all(sends));
    }
    for (const partition of topic.partitions) {
      expect(partition.batches.length).toBeGreaterThan(3);
      for (const { header } of partition.batches) expect(header.recordCount).toBe(10);
    }
  });

  it('writes in bulk without a promise for each record, and tells failures at the flush', async () => {
    cluster = new FakeCluster(1);
    const topic = cluster.createTopic('orders', 1);
    const hw = await cluster.connect();
    const writer = hw.producer().writer();
    for (let n = 0; n < 1_000; n++) await writer.write({ topic: 'orders', value: String(n) });
    expect(await cluster.run(writer.flush())).toEqual({ written: 1_000, degraded: 0 });
    topic.partitions[0]?.refusals.push('INVALID_TIMESTAMP');
    await writer.write({ topic: 'orders', value: 'refused' });
    const error = await cluster.run(rejection(writer.flush()));
    expect(error).toMatchObject({ code: 'INVALID_TIMESTAMP', outcome: 'not-written' });
    expect(error.facts).toMatchObject({ written: '1000', failed: '1' });
  });

  it('takes the level of each send, in order', async () => {
    cluster = new FakeCluster(1);
    const topic = cluster.createTopic('orders');
    const hw = await cluster.connect();
    const producer = hw.producer({ acks: 'leader' });
    const [none, leader, all] = await cluster.run(
      Promise.all([
        producer.send({ topic: 'orders', value: '0' }, { acks: 'none' }),
        producer.send({ topic: 'orders', value: '1' }),
        producer.send({ topic: 'orders', value: '2' }, { acks: 'all' }),
      ]),
    );
    expect(none).toMatchObject({ acks: 'none', isAcknowledged: false, offset: -1n });
    expect(leader).toMatchObject({ acks: 'leader', offset: 1n });
    expect(all).toMatchObject({ acks: 'all', offset: 2n });
    expect(topic.partitions[0]?.values()).toEqual(['0', '1', '2']);
  });

  it('sends many records with one promise, which tells where they went', async () => {
    cluster = new FakeCluster();
    const topic = cluster.createTopic('orders', 3);
    const hw = await cluster.connect();
    const producer = hw.producer({ compression: 'gzip' });
    const records = Array.from({ length: 90 }, (_, n) => ({
      topic: 'orders',
      partition: n % 3,
      value: `record ${n} of the batch`,
    }));
    const sent = await cluster.run(producer.sendBatch(records));
    expect(sent.count).toBe(90);
    expect(sent.ranges.map((range) => range.count)).toEqual([30, 30, 30]);
    expect(topic.partitions[1]?.values()).toHaveLength(30);
  });

  it('writes a topic that is created while the record waits, and says if there is none', async () => {
    cluster = new FakeCluster();
    const hw = await cluster.connect();
    const producer = hw.producer();
    const early = producer.send({ topic: 'later', value: 'v' });
    await cluster.time.advance(500);
    cluster.createTopic('later');
    expect((await cluster.run(early)).offset).toBe(0n);
    const error = await cluster.run(rejection(producer.send({ topic: 'never', value: 'v' })));
    expect(error).toMatchObject({ code: 'UNKNOWN_TOPIC', outcome: 'not-written' });
  });

  it('refuses what is no record before anything is sent', async () => {
    cluster = new FakeCluster();
    const topic = cluster.createTopic('orders', 2, { 'max.message.bytes': '4096' });
    const hw = await cluster.connect();
    const producer = hw.producer();
    const wrong = { topic: 'orders', value: 7 } as unknown as { topic: string };
    const codes = await cluster.run(
      Promise.all([
        rejection(producer.send(wrong)),
        rejection(producer.send({ topic: 'orders', timestamp: -1 })),
        rejection(producer.send({ topic: 'orders', partition: 2 })),
        rejection(producer.send({ topic: 'orders', value: Buffer.alloc(5000) })),
      ]),
    );
    expect(codes.map((error) => [error.code, error.outcome])).toEqual([
      ['INVALID_REQUEST', 'not-written'],
      ['INVALID_REQUEST', 'not-written'],
      ['UNKNOWN_PARTITION', 'not-written'],
      ['RECORD_TOO_LARGE', 'not-written'],
    ]);
    await cluster.run(producer.send({ topic: 'orders', partition: 0, value: 'good' }));
    expect(topic.partitions[0]?.values()).toEqual(['good']);
  });

  it('without ids from the cluster fails clearly, and goes on where it asked for none', async () => {
    cluster = new FakeCluster();
    cluster.givesProducerIds = false;
    cluster.createTopic('orders');
    const hw = await cluster.connect();
    const error = await cluster.run(rejection(hw.producer().send({ topic: 'orders' })));
    expect(error).toMatchObject({ code: 'UNSUPPORTED_VERSION', outcome: 'not-written' });
    expect(error.facts['hint']).toContain('idempotent: false');
    const plain = hw.producer({ idempotent: false });
    expect((await cluster.run(plain.send({ topic: 'orders', value: 'v' }))).offset).toBe(0n);
  });

  it('gives a caller back at once when its signal aborts', async () => {
    cluster = new FakeCluster();
    const topic = cluster.createTopic('orders');
    const partition = topic.partitions[0];
    if (partition !== undefined) partition.isAckHeld = true;
    const hw = await cluster.connect();
    const stop = new AbortController();
    const send = rejection(
      hw.producer({ closeTimeoutMs: 100 }).send({ topic: 'orders' }, { signal: stop.signal }),
    );
    await cluster.time.advance(50);
    stop.abort();
    expect(await cluster.run(send, 1)).toMatchObject({
      code: 'CANCELLED',
      outcome: 'maybe-written',
    });
  });
});
