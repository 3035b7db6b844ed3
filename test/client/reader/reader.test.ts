import { afterEach, describe, expect, it } from 'vitest';
import type { Client } from '../../../client/client.ts';
import type { ReadRecord } from '../../../client/reader/read-record.ts';
import type { ReaderOptions } from '../../../client/reader/reader-options.ts';
import { nodeId } from '../../../proto/model/ids.ts';
import { FakeCluster } from '../support/fake-cluster.ts';
import { rejection } from '../support/rejection.ts';

let cluster: FakeCluster;
afterEach(() => cluster.close());

/** Everything that a reader gives until it ends. */
async function all(hw: Client, options: ReaderOptions): Promise<ReadRecord[]> {
  const records: ReadRecord[] = [];
  for await (const record of hw.reader(options)) records.push(record);
  return records;
}

/** Collects in the background, for readers that do not end. */
function collect(hw: Client, options: ReaderOptions): { texts: string[]; failed: Promise<void> } {
  const texts: string[] = [];
  const failed = (async () => {
    for await (const record of hw.reader(options)) texts.push(record.text());
  })();
  failed.catch(() => {});
  return { texts, failed };
}

async function withRecords(count: number, partitions = 1): Promise<Client> {
  cluster = new FakeCluster();
  cluster.createTopic('orders', partitions);
  const hw = await cluster.connect();
  await write(hw, 0, count, partitions);
  return hw;
}

/** One batch for each ten records. */
async function write(hw: Client, from: number, to: number, partitions = 1): Promise<void> {
  const producer = hw.producer();
  for (let at = from; at < to; at += 10) {
    const records = Array.from({ length: Math.min(10, to - at) }, (_, n) => ({
      topic: 'orders',
      partition: (at / 10) % partitions,
      key: `k${at + n}`,
      value: String(at + n),
      headers: { n: String(at + n) },
      timestamp: 1_000 + at + n,
    }));
    await cluster.run(producer.sendBatch(records));
  }
  await cluster.run(producer.close());
}

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) => String(from + n));

describe('a reader', () => {
  it('reads all partitions to what is the end, with keys, headers and offsets', async () => {
    const hw = await withRecords(90, 3);
    const records = await cluster.run(all(hw, { topic: 'orders', follow: false }));
    expect(records).toHaveLength(90);
    const one = records.find((record) => record.text() === '42');
    expect(one).toMatchObject({ topic: 'orders', partition: 1, offset: 12n, timestamp: 1_042 });
    expect(one?.key?.toString()).toBe('k42');
    expect(one?.header('n')?.toString()).toBe('42');
  });

  it('asks each leader once where a topic begins and ends, however many partitions it has', async () => {
    const hw = await withRecords(600, 60);
    const records = await cluster.run(all(hw, { topic: 'orders', follow: false }));
    expect(records).toHaveLength(600);
    expect([...cluster.brokers.values()].map(({ offsetCalls }) => offsetCalls)).toEqual([1, 1, 1]);
  });

  it('begins and ends where it is told, also inside a batch', async () => {
    const hw = await withRecords(50);
    const read = async (options: Partial<ReaderOptions>) =>
      (await cluster.run(all(hw, { topic: 'orders', partition: 0, to: 'latest', ...options }))).map(
        (record) => record.text(),
      );
    expect(await read({ from: { offset: 13n }, to: { offset: 27n } })).toEqual(numbers(13, 27));
    expect(await read({ from: { last: 4 } })).toEqual(numbers(46, 50));
    expect(await read({ from: { last: 400 } })).toEqual(numbers(0, 50));
    expect(await read({ from: 'latest' })).toEqual([]);
    expect(await read({ from: { timestamp: 1_030 } })).toEqual(numbers(30, 50));
    expect(await read({ from: { timestamp: 99_999 } })).toEqual([]);
  });

  it('says what is wrong with its start', async () => {
    const hw = await withRecords(10);
    const wrong: readonly Partial<ReaderOptions>[] = [
      { from: { offset: 11n } },
      { partition: 9 },
      { topic: 'nothing' },
      { from: { offset: -1n } },
    ];
    const codes = [];
    for (const options of wrong) {
      const read = all(hw, { topic: 'orders', ...options });
      codes.push((await cluster.run(rejection(read))).code);
    }
    expect(codes).toEqual([
      'OFFSET_OUT_OF_RANGE',
      'UNKNOWN_PARTITION',
      'UNKNOWN_TOPIC',
      'INVALID_REQUEST',
    ]);
  });

  it('follows, and says when it has caught up', async () => {
    const hw = await withRecords(10);
    const reader = hw.reader({ topic: 'orders' });
    const texts: string[] = [];
    void (async () => {
      for await (const record of reader) texts.push(record.text());
    })();
    await cluster.run(reader.caughtUp());
    expect(texts).toEqual(numbers(0, 10));
    expect(reader.isCaughtUp).toBe(true);
    await write(hw, 10, 20);
    await cluster.time.advance(10);
    expect(texts).toEqual(numbers(0, 20));
  });

  it('gives batches, whose records are those that were asked for', async () => {
    const hw = await withRecords(30);
    const batches: string[][] = [];
    await cluster.run(
      (async () => {
        const reader = hw.reader({ topic: 'orders', from: { offset: 15n }, follow: false });
        for await (const batch of reader.batches())
          batches.push([...batch].map((record) => record.text()));
      })(),
    );
    expect(batches).toEqual([numbers(15, 20), numbers(20, 30)]);
  });

  it('that stops reading holds no more than its bound', async () => {
    cluster = new FakeCluster();
    cluster.createTopic('orders', 1);
    const hw = await cluster.connect();
    const producer = hw.producer();
    const batchBytes = 10_000;
    for (let n = 0; n < 100; n++) {
      await cluster.run(producer.send({ topic: 'orders', value: Buffer.alloc(batchBytes) }));
    }
    const prefetchBytesMax = 100_000;
    const reader = hw.reader({ topic: 'orders', prefetchBytesMax });
    const iterator = reader[Symbol.asyncIterator]();
    await cluster.run(iterator.next());
    await cluster.time.advance(5_000);
    expect(reader.bufferedBytes).toBeGreaterThan(prefetchBytesMax / 4);
    expect(reader.bufferedBytes).toBeLessThan(prefetchBytesMax + 2 * batchBytes);
    for (let n = 1; n < 100; n++) await cluster.run(iterator.next());
    await cluster.time.advance(100);
    expect(reader.bufferedBytes).toBeLessThan(2 * batchBytes);
  });
});

describe('a reader whose broker', () => {
  it('is killed goes on at the next one, without a gap or a record twice', async () => {
    const hw = await withRecords(20);
    const { texts } = collect(hw, { topic: 'orders' });
    await cluster.time.advance(50);
    const topic = cluster.topics.get('orders');
    cluster.network.crash('b1', true);
    cluster.brokers.delete(nodeId(1));
    await cluster.time.advance(300);
    if (topic !== undefined) cluster.elect(topic, 0, 2);
    await write(hw, 20, 40);
    await cluster.time.advance(500);
    expect(texts).toEqual(numbers(0, 40));
  });

  it('hangs moves to the new leader as soon as there is one', async () => {
    const hw = await withRecords(20);
    const { texts } = collect(hw, { topic: 'orders' });
    await cluster.time.advance(50);
    cluster.hang(1);
    const topic = cluster.topics.get('orders');
    await cluster.time.advance(2_000);
    if (topic !== undefined) cluster.elect(topic, 0, 2);
    await write(hw, 20, 30);
    await cluster.time.advance(3_000);
    expect(texts).toEqual(numbers(0, 30));
  });

  it('hangs while it reads from a follower finds out by itself', async () => {
    const hw = await withRecords(10);
    const { texts } = collect(hw, { topic: 'orders', readFrom: 'nearest', rack: 'rack-3' });
    await cluster.time.advance(50);
    expect(texts).toEqual(numbers(0, 10));
    cluster.hang(3);
    await write(hw, 10, 20);
    await cluster.time.advance(15_000);
    expect(texts).toEqual(numbers(0, 20));
  });

  it('lost power during a handshake is asked on a fresh connection once it is back', async () => {
    const hw = await withRecords(90, 3);
    cluster.hang(2);
    cluster.hang(3);
    const { texts } = collect(hw, { topic: 'orders' });
    await cluster.time.advance(50);
    for (const id of [2, 3]) {
      cluster.network.crash(`b${id}`, false);
      cluster.start(id);
      cluster.goOn(id);
    }
    await cluster.time.advance(15_000);
    expect(
      texts
        .map(Number)
        .sort((a, b) => a - b)
        .map(String),
    ).toEqual(numbers(0, 90));
  });

  it('lost what was read says so once, with the place where the histories part', async () => {
    const hw = await withRecords(30);
    const { texts, failed } = collect(hw, { topic: 'orders' });
    await cluster.time.advance(50);
    expect(texts).toEqual(numbers(0, 30));
    const topic = cluster.topics.get('orders');
    cluster.network.disconnect('client', 'b1');
    topic?.partitions[0]?.elect(nodeId(2), 1);
    cluster.changed();
    const error = await cluster.run(rejection(failed), 10_000);
    expect(error).toMatchObject({ code: 'POSITION_LOST' });
    expect(error.facts).toMatchObject({ divergedAt: '20', topic: 'orders', partition: '0' });
    const again = await cluster.run(all(hw, { topic: 'orders', follow: false }), 10_000);
    expect(again.map((record) => record.text())).toEqual(numbers(0, 20));
  });

  it('is replaced for ever is left by close, which always returns', async () => {
    const hw = await withRecords(10);
    for (let id = 1; id <= 3; id++) cluster.hang(id);
    const { failed } = collect(hw, { topic: 'orders' });
    await cluster.time.advance(1_000);
    await cluster.run(hw.close(), 100);
    await cluster.run(
      failed.catch(() => {}),
      10,
    );
  });
});
