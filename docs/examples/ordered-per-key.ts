/**
 * Exactly in order for each key, and many keys at once: eight handlers work side by side, a key is never
 * handled by two of them, and what is committed is never ahead of what is handled.
 */
import { connect } from 'highwater';
import { startCluster } from 'highwater/testing';

const accounts = 12;
const movements = 20;

await using cluster = await startCluster({ nodes: 3 });
await using hw = await connect({ brokers: cluster.brokers });
await hw.admin.createTopic({ name: 'movements', partitions: 3, replicationFactor: 3 });

// The same key always goes to the same partition, and a partition keeps its order.
const producer = hw.producer({ acks: 'all' });
for (let number = 1; number <= movements; number++)
  await Promise.all(
    Array.from({ length: accounts }, (_, account) =>
      producer.send({ topic: 'movements', key: `account-${account}`, value: String(number) }),
    ),
  );

const last = new Map<string, number>();
let atOnce = 0;
let mostAtOnce = 0;
let left = accounts * movements;
const consumer = hw.consumer({ group: 'ledger', topics: ['movements'], from: 'earliest' });
await consumer.run(
  async (record) => {
    const account = String(record.key);
    const number = Number(record.text());
    mostAtOnce = Math.max(mostAtOnce, ++atOnce);
    // Handlers of other accounts go on while this one waits for its database.
    await new Promise((resolve) => setTimeout(resolve, 2));
    if (number !== (last.get(account) ?? 0) + 1)
      throw new Error(`${account}: ${number} came after ${last.get(account)}`);
    last.set(account, number);
    atOnce--;
    if (--left === 0) void consumer.close();
  },
  { concurrency: { byKey: 8 } },
);
console.log(`${accounts} accounts in order, up to ${mostAtOnce} at once`);
const group = await hw.groups.describe('ledger');
console.log(
  `left to handle: ${group.partitions.reduce((sum, one) => sum + Number(one.lagRecords), 0)}`,
);
