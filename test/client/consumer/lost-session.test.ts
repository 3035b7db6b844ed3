import { afterEach, expect, it } from 'vitest';
import type { Client } from '../../../client/client.ts';
import { FakeCluster } from '../support/fake-cluster.ts';

let cluster: FakeCluster;
afterEach(() => cluster.close());

/** A member that handles and commits what comes; broker 1 coordinates its group, broker 2 leads. */
async function member(sessionTimeoutMs: number) {
  cluster = new FakeCluster();
  cluster.elect(cluster.createTopic('orders'), 0, 2);
  const hw = await cluster.connect();
  const events: string[] = [];
  const handled: string[] = [];
  const consumer = hw.consumer({
    group: 'billing',
    topics: ['orders'],
    from: 'earliest',
    sessionTimeoutMs,
    onEvent: ({ kind }) => events.push(kind),
  });
  void (async () => {
    for await (const record of consumer) {
      handled.push(record.text());
      await consumer.commit(record);
    }
  })();
  await write(hw, ['1', '2']);
  await cluster.time.advance(3_500);
  expect(handled).toEqual(['1', '2']);
  return { hw, events, handled };
}

async function write(hw: Client, values: readonly string[]): Promise<void> {
  const producer = hw.producer();
  await cluster.run(Promise.all(values.map((value) => producer.send({ topic: 'orders', value }))));
}

it('a member whose coordinator stood still for a session, and kept it, goes on', async () => {
  const { hw, events, handled } = await member(1_000);
  cluster.hang(1);
  await cluster.time.advance(1_500);
  expect(events).toEqual(['assigned', 'lost']);
  cluster.goOn(1);
  await cluster.time.advance(3_000);
  await write(hw, ['3', '4']);
  await cluster.time.advance(1_000);
  expect(events).toEqual(['assigned', 'lost', 'assigned']);
  expect(handled).toEqual(['1', '2', '3', '4']);
});

it('a member that stood still for a session itself, and was kept, goes on', async () => {
  const { hw, events, handled } = await member(3_000);
  cluster.clientClock.pause();
  await cluster.time.advance(4_000);
  cluster.clientClock.resume();
  await cluster.time.advance(3_000);
  await write(hw, ['3', '4']);
  await cluster.time.advance(1_000);
  expect(events).toEqual(['assigned', 'lost', 'assigned']);
  expect(handled).toEqual(['1', '2', '3', '4']);
});
