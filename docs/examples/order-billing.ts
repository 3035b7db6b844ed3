/** The code under test in `failover.vitest.test.ts` and `failover.node.test.ts`: bills every order once it is safe. */
import type { Client, ReadRecord } from 'highwater';

export interface BillingOptions {
  /** Called with an order before its bill is written. */
  readonly onOrder?: (record: ReadRecord) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Reads `orders` and writes a bill for each to `bills`, until it is told to stop. */
export async function billOrders(hw: Client, options: BillingOptions): Promise<void> {
  const consumer = hw.consumer({ group: 'billing', topics: ['orders'], from: 'earliest' });
  const producer = hw.producer({ acks: 'all' });
  options.signal.addEventListener('abort', () => void consumer.close(), { once: true });
  await consumer.run(async (record) => {
    await options.onOrder?.(record);
    await producer.send({ topic: 'bills', key: record.key, value: `bill for ${record.text()}` });
  });
  await producer.close();
}

/** Everything that is in a topic, by value. */
export async function valuesOf(hw: Client, topic: string): Promise<string[]> {
  const values: string[] = [];
  for await (const record of hw.reader({ topic, from: 'earliest', to: 'latest' }))
    values.push(record.text());
  return values;
}
