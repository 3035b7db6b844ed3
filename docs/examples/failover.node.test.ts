/** node:test: a cluster in the test's own process, whose leader dies while a handler is at work. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from 'highwater';
import { startCluster } from 'highwater/testing';
import { billOrders, valuesOf } from './order-billing.ts';

void test('every order is billed when the leader dies in the middle of a handler', async () => {
  await using cluster = await startCluster({ nodes: 3, settings: { 'session-ms': '600' } });
  await using hw = await connect({ brokers: cluster.brokers });
  for (const name of ['orders', 'bills'])
    await hw.admin.createTopic({ name, partitions: 1, replicationFactor: 3 });
  const producer = hw.producer({ acks: 'all' });
  for (const item of ['book', 'lamp', 'chair'])
    await producer.send({ topic: 'orders', value: item });

  const stop = new AbortController();
  let isKilled = false;
  const billing = billOrders(hw, {
    signal: stop.signal,
    async onOrder(record) {
      if (record.text() !== 'lamp' || isKilled) return;
      isKilled = true;
      const { partitions } = await hw.admin.describeTopic('bills');
      await cluster.kill(partitions[0]?.leader ?? 1);
    },
  });

  const wanted = ['bill for book', 'bill for lamp', 'bill for chair'];
  while (new Set(await valuesOf(hw, 'bills')).size < wanted.length)
    await new Promise((resolve) => setTimeout(resolve, 20));
  stop.abort();
  await billing;
  assert.ok(isKilled);
  assert.deepEqual(await valuesOf(hw, 'bills'), wanted);
});
