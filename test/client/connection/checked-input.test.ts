/** What a caller without types may pass: each mistake is named with its value, none is taken for something else. */
import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import type { Client } from '../../../client/client.ts';
import { connect } from '../../../client/connect.ts';
import type { ReadRecord } from '../../../client/reader/read-record.ts';
import type { Reader } from '../../../client/reader/reader.ts';
import { FakeCluster } from '../support/fake-cluster.ts';
import { rejection } from '../support/rejection.ts';

let cluster: FakeCluster;
afterEach(() => cluster?.close());

async function firstOf(reader: Reader): Promise<ReadRecord | undefined> {
  for await (const record of reader) return record;
  return undefined;
}

/** As a program in plain JavaScript passes it. */
const untyped = (value: unknown): never => value as never;

async function connected(): Promise<Client> {
  cluster = new FakeCluster();
  cluster.createTopic('orders', 1);
  return cluster.connect();
}

describe('a level of acknowledgement that there is not', () => {
  it('is refused wherever it is said, and never taken for a weaker one', async () => {
    const hw = await connected();
    const said = /^acks "quorum": expected one of none, leader, semi-sync, all$/;
    expect(() => hw.producer({ acks: untyped('quorum') })).toThrow(said);
    expect(() => hw.producer({ acks: untyped(1) })).toThrow(/^acks 1: /);
    const producer = hw.producer();
    const record = { topic: 'orders', value: 'x' };
    const quorum = { acks: untyped('quorum') };
    expect((await rejection(producer.send(record, quorum))).message).toMatch(said);
    expect((await rejection(producer.sendBatch([record], quorum))).message).toMatch(said);
    expect(() => producer.writer(quorum)).toThrow(said);
    expect(cluster.topics.get('orders')?.partitions[0]?.values()).toEqual([]);
  });
});

describe('an option that cannot be meant', () => {
  it('is refused by connect', async () => {
    for (const options of [undefined, {}, { brokers: 'localhost:9092' }, { brokers: [] }])
      expect((await rejection(connect(untyped(options)))).message).toMatch(/^(connect|brokers): /);
  });

  it('is refused by a producer and in a record', async () => {
    const hw = await connected();
    expect(() => hw.producer({ compression: untyped('lzma') })).toThrow(/^compression "lzma": /);
    expect(() => hw.producer({ silenceMs: untyped('5') })).toThrow(/^silenceMs 5: /);
    const error = await rejection(hw.producer().send(untyped(undefined)));
    expect(error).toMatchObject({ code: 'INVALID_REQUEST', outcome: 'not-written' });
  });

  it.each([
    [undefined, /^consumer: /],
    [{ group: 'g', topics: 'orders' }, /^topics "orders": expected a list of texts/],
    [{ group: 'g', topics: ['orders'], from: 'beginning' }, /^from "beginning": /],
    [{ group: 'g', topics: ['orders'], readFrom: 'follower' }, /^readFrom "follower": /],
    [{ group: 'g', topics: ['orders'], assignor: 'sticky' }, /^assignor "sticky": /],
  ])('is refused by a consumer: %j', async (options, message) => {
    const hw = await connected();
    expect(() => hw.consumer(untyped(options))).toThrow(message);
  });

  it.each([
    [undefined, /^reader: /],
    [{}, /names its topic/],
    [{ topic: 'orders', from: 'beginning' }, /^from "beginning": expected earliest, latest or/],
    [{ topic: 'orders', from: 0 }, /^from 0: /],
    [{ topic: 'orders', to: 'earliest' }, /^to "earliest": /],
    [{ topic: 'orders', level: 'strong' }, /^level "strong": /],
    [{ topic: 'orders', readFrom: 'follower' }, /^readFrom "follower": /],
  ])('is refused by a reader: %j', async (options, message) => {
    const hw = await connected();
    expect(() => hw.reader(untyped(options))).toThrow(message);
  });

  it('is one that there is not, which a mistyped name would leave at its default', async () => {
    const hw = await connected();
    const topics = ['orders'];
    const address = '127.0.0.1:1';
    expect((await rejection(connect(untyped({ brokers: [address], tsl: {} })))).message).toBe(
      'connect: there is no option "tsl"; expected tls',
    );
    expect(() => hw.producer(untyped({ ack: 'leader' }))).toThrow(/"ack"; expected acks$/);
    expect(() => hw.consumer(untyped({ groupId: 'g', group: 'g', topics }))).toThrow(
      /"groupId"; expected group$/,
    );
    expect(() => hw.consumer(untyped({ group: 'g', topics, fromBeginning: true }))).toThrow(
      /"fromBeginning"; expected from$/,
    );
    expect(() => hw.reader(untyped({ topic: 'orders', latency: 1 }))).toThrow(
      /"latency"; expected one of topic, partition, /,
    );
    const spec = { name: 'bills', numPartitions: 6 };
    expect((await rejection(hw.admin.createTopic(untyped(spec)))).message).toMatch(
      /"numPartitions"; expected one of name, partitions, /,
    );
    expect(() => hw.producer(untyped({ partitionr: undefined }))).not.toThrow();
  });

  it('is a node that has no replica, for which a reader would wait without end', async () => {
    const hw = await connected();
    const reading = cluster.run(hw.reader({ topic: 'orders', readFrom: 9 }).batches().next());
    expect((await rejection(reading)).message).toMatch(/no replica on node 9; it has them on \d/);
  });
});

describe('what is printed', () => {
  it('of a receipt and a record shows all that they say', async () => {
    const hw = await connected();
    const receipt = await cluster.run(hw.producer().send({ topic: 'orders', value: 'x' }));
    expect(inspect(receipt)).toMatch(/offset: 0n[\s\S]*acks: 'all'/);
    expect(JSON.parse(JSON.stringify(receipt))).toMatchObject({ topic: 'orders', offset: '0' });
    const record = await cluster.run(firstOf(hw.reader({ topic: 'orders' })));
    expect(inspect(record)).toMatch(/offset: 0n/);
    expect(JSON.parse(JSON.stringify(record))).toMatchObject({ topic: 'orders', offset: '0' });
  });
});
