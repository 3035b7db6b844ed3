/** `highwater/testing`: what a test may do to the nodes of a cluster in its own process. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../../broker/main/cluster.ts';
import { type Client, connect, type Producer } from '../../client/index.ts';

const topic = 'orders';
const sent: string[] = [];
let cluster: Cluster;
let hw: Client;
let producer: Producer;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 3, settings: { 'session-ms': '600' } });
  hw = await connect({ brokers: cluster.brokers });
  await hw.admin.createTopic({ name: topic, partitions: 1, replicationFactor: 3 });
  producer = hw.producer({ acks: 'all' });
});

afterAll(async () => {
  await hw.close();
  await cluster.close();
});

it('a paused leader is replaced, and lets go of its leadership when it goes on', async () => {
  await send('before the pause');
  const paused = await leader();
  cluster.pause(paused);
  await send('while it is paused');
  expect(await leader()).not.toBe(paused);
  cluster.resume(paused);
  await inSync(3);
  await expectAll();
});

it('an isolated leader is replaced, and joins again when it is healed', async () => {
  const isolated = await leader();
  cluster.isolate(isolated);
  await send('while it is isolated');
  expect(await leader()).not.toBe(isolated);
  cluster.heal(isolated);
  await inSync(3);
  await expectAll();
});

it('a killed leader is replaced, and joins again when it is restarted', async () => {
  const killed = await leader();
  await cluster.kill(killed);
  await send('while it is dead');
  expect(() => cluster.pause(killed)).toThrow(/does not run/);
  await cluster.restart(killed);
  await inSync(3);
  await expectAll();
});

it('a write at all waits for what a slow node is told late', async () => {
  const slow = ((await leader()) % 3) + 1;
  cluster.slow(slow, 150);
  const from = performance.now();
  await send('to a slow node');
  expect(performance.now() - from).toBeGreaterThanOrEqual(149);
  cluster.slow(slow, 0);
  await expectAll();
});

it('a node that does not exist is named', async () => {
  expect(() => cluster.isolate(4)).toThrow(/no node 4/);
  expect(() => cluster.slow(1, -1)).toThrow(/-1/);
  await expect(cluster.kill(0)).rejects.toThrow(/no node 0/);
});

async function send(value: string): Promise<void> {
  await producer.send({ topic, value });
  sent.push(value);
}

async function leader(): Promise<number> {
  const { partitions } = await hw.admin.describeTopic(topic);
  return partitions[0]?.leader ?? 0;
}

/** Asks until so many replicas are in sync. */
async function inSync(count: number): Promise<void> {
  for (;;) {
    const { partitions } = await hw.admin.describeTopic(topic);
    if (partitions[0]?.isr.length === count) return;
    await new Promise((next) => setTimeout(next, 20));
  }
}

/** The log has what was sent, in its order. */
async function expectAll(): Promise<void> {
  const values: string[] = [];
  for await (const record of hw.reader({ topic, from: 'earliest', to: 'latest' }))
    values.push(record.text());
  expect(values).toEqual(sent);
}
