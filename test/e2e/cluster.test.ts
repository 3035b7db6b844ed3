import { expect, it } from 'vitest';
import { startCluster } from '../../broker/main/cluster.ts';
import { connect } from '../../client/index.ts';

it('a cluster in one process keeps what was acknowledged when its leader is killed', async () => {
  await using cluster = await startCluster({ nodes: 3, settings: { 'session-ms': '1000' } });
  await using hw = await connect({ brokers: [...cluster.brokers] });
  await hw.admin.createTopic({ name: 'orders', partitions: 1, replicationFactor: 3 });
  await using producer = hw.producer({ acks: 'all' });
  const first = await producer.send({ topic: 'orders', key: 'k', value: 'before' });
  const [leader] = first.storedBy;
  expect(first.storedBy.length).toBeGreaterThanOrEqual(2);
  await cluster.kill(Number(leader));
  const second = await producer.send({ topic: 'orders', key: 'k', value: 'after' });
  expect(second.offset).toBe(first.offset + 1n);
  expect(second.leaderEpoch).toBeGreaterThan(first.leaderEpoch);
  const values: string[] = [];
  for await (const record of hw.reader({
    topic: 'orders',
    partition: 0,
    from: 'earliest',
    to: 'latest',
    level: 'linearizable',
  })) {
    values.push(Buffer.from(record.value ?? []).toString());
  }
  expect(values).toEqual(['before', 'after']);
});
