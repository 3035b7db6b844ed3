/** Records are deleted by offset and sent in batches: a log may begin inside one. */
import { expect, it } from 'vitest';
import { startCluster } from '../../broker/main/cluster.ts';
import { connect } from '../../client/index.ts';

it('a replica that has nothing is filled by a leader whose log begins inside a batch', {
  timeout: 60_000,
}, async () => {
  const cluster = await startCluster({ nodes: 3 });
  const hw = await connect({ brokers: cluster.brokers });
  try {
    const topic = 'inside';
    await hw.admin.createTopic({ name: topic, partitions: 1, replicationFactor: 3 });
    await cluster.kill(3);
    const producer = hw.producer();
    const sends = Array.from({ length: 20 }, (_, at) => producer.send({ topic, value: `${at}` }));
    await Promise.all(sends);
    await hw.admin.deleteRecords({ topic, partition: 0, before: 12n });
    await cluster.restart(3);
    await expect
      .poll(async () => (await hw.admin.describeTopic(topic)).partitions[0]?.isr.length, {
        timeout: 20_000,
      })
      .toBe(3);
    const values: string[] = [];
    const reader = hw.reader({ topic, from: 'earliest', to: 'latest', readFrom: 3 });
    for await (const { value } of reader) values.push(String(value));
    expect(values).toEqual(['12', '13', '14', '15', '16', '17', '18', '19']);
  } finally {
    await hw.close();
    await cluster.close();
  }
});
