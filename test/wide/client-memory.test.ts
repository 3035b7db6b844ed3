/**
 * What a client holds is bounded, whatever stands still: a loop that stops reading, a broker that hangs;
 * and a client that is closed leaves nothing behind. The bounds are stated with each test.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Client, connect } from '../../client/index.ts';
import { ProcessCluster } from '../support/process-cluster.ts';

const MiB = 1024 * 1024;
const value = Buffer.alloc(1024, 'x');
/** Far more than any of the bounds below. */
const storedBytes = 96 * MiB;
let cluster: ProcessCluster;
let hw: Client;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Memory that is in use, once what is not has been collected. */
async function usedBytes(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    collect();
    await new Promise((next) => setTimeout(next, 50));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

beforeAll(async () => {
  cluster = await ProcessCluster.start({ nodes: 1 });
  hw = await connect({ brokers: cluster.brokers });
  const topic = { partitions: 1, replicationFactor: 1 };
  const config = { 'min.insync.replicas': '1', flush: 'os' };
  await hw.admin.createTopic({ name: 'stored', ...topic, config });
  await hw.admin.createTopic({ name: 'hung', ...topic, config });
  const writer = hw.producer({ acks: 'leader' }).writer();
  for (let bytes = 0; bytes < storedBytes; bytes += value.length)
    await writer.write({ topic: 'stored', value });
  await writer.flush();
}, 120_000);

afterAll(async () => {
  await hw.close();
  await cluster.stop();
});

it('a reader whose loop stops holds no more than its 4 MiB ahead, and a batch', async () => {
  const before = await usedBytes();
  const prefetchBytesMax = 4 * MiB;
  const reader = hw.reader({ topic: 'stored', from: 'earliest', prefetchBytesMax });
  const records = reader[Symbol.asyncIterator]();
  await records.next();
  await standsStill(() => reader.bufferedBytes);
  expect(reader.bufferedBytes).toBeGreaterThan(MiB);
  expect(reader.bufferedBytes).toBeLessThanOrEqual(prefetchBytesMax + MiB);
  expect((await usedBytes()) - before).toBeLessThan(24 * MiB);
  await reader.close();
});

it('a consumer whose handler stops holds no more than its 4 MiB ahead, and a batch', async () => {
  const before = await usedBytes();
  const prefetchBytesMax = 4 * MiB;
  const options = {
    group: 'stuck',
    topics: ['stored'],
    from: 'earliest',
    prefetchBytesMax,
  } as const;
  const consumer = hw.consumer(options);
  const records = consumer[Symbol.asyncIterator]();
  await records.next();
  await standsStill(() => consumer.bufferedBytes);
  expect(consumer.bufferedBytes).toBeLessThanOrEqual(prefetchBytesMax + MiB);
  expect((await usedBytes()) - before).toBeLessThan(24 * MiB);
  await consumer.close();
});

it('a producer whose broker hangs takes no more than its 8 MiB, and goes on with the broker', async () => {
  const bufferBytesMax = 8 * MiB;
  const writer = hw.producer({ acks: 'leader', bufferBytesMax }).writer();
  await writer.write({ topic: 'hung', value });
  await writer.flush();
  const before = await usedBytes();
  cluster.node(1).pause();
  let taken = 0;
  let room: Promise<void> | undefined;
  for (; room === undefined && taken < storedBytes; taken += value.length)
    room = writer.write({ topic: 'hung', value });
  expect(taken).toBeGreaterThan(4 * MiB);
  expect(taken).toBeLessThan(bufferBytesMax + MiB);
  expect((await usedBytes()) - before).toBeLessThan(40 * MiB);
  cluster.node(1).resume();
  await room;
  const { written } = await writer.flush();
  expect(written).toBe(1 + taken / value.length);
});

it('a thousand clients, one after the other, leave nothing behind', async () => {
  const open = async (count: number): Promise<void> => {
    for (let done = 0; done < count; done++) {
      const client = await connect({ brokers: cluster.brokers });
      if (done % 10 === 0) await client.producer().send({ topic: 'hung', value: 'x' });
      await client.close();
    }
  };
  await open(100);
  const before = await usedBytes();
  const resources = process.getActiveResourcesInfo().length;
  await open(900);
  expect((await usedBytes()) - before).toBeLessThan(12 * MiB);
  expect(process.getActiveResourcesInfo().length).toBeLessThan(resources + 20);
}, 240_000);

/** Waits until a figure has been the same for half a second. */
async function standsStill(figure: () => number): Promise<void> {
  for (let same = 0, last = -1; same < 10; ) {
    await new Promise((next) => setTimeout(next, 50));
    same = figure() === last ? same + 1 : 0;
    last = figure();
  }
}
