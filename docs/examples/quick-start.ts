/** Quick start: a cluster in this process, a topic, one record written to three replicas and read back. */
import { connect } from 'highwater';
import { startCluster } from 'highwater/testing';

await using cluster = await startCluster({ nodes: 3 });
await using hw = await connect({ brokers: cluster.brokers });

await hw.admin.createTopic({
  name: 'orders',
  partitions: 6,
  replicationFactor: 3,
  config: { 'min.insync.replicas': '2' },
});

const producer = hw.producer({ acks: 'all' });
const receipt = await producer.send({
  topic: 'orders',
  key: 'customer-7',
  value: JSON.stringify({ item: 'book', count: 2 }),
  headers: { source: 'shop' },
});
console.log(`written at offset ${receipt.offset}, in sync: ${receipt.isrSize} replicas`);

for await (const record of hw.reader({ topic: 'orders', from: 'earliest', to: 'latest' }))
  console.log(`read ${record.key?.toString()}: ${record.text()}`);
