import { afterEach, expect, it } from 'vitest';
import type { Client } from '../../../client/client.ts';
import { HighwaterError } from '../../../proto/model/errors.ts';
import { FakeCluster } from '../support/fake-cluster.ts';

let cluster: FakeCluster;
afterEach(() => cluster.close());

/** A member that handles and commits what comes, and what it was told of its commits; broker 1 coordinates its group, broker 2 leads. */
async function member(sessionTimeoutMs: number) {
  cluster = new FakeCluster();
  cluster.elect(cluster.createTopic('orders'), 0, 2);
  const hw = await cluster.connect();
  const events: string[] = [];
  const handled: string[] = [];
  const told: string[] = [];
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
      consumer.commit(record).then(
        () => told.push(record.text()),
        (error: unknown) => told.push(`${record.text()} ${HighwaterError.from(error).code}`),
      );
    }
  })();
  await write(hw, ['1', '2']);
  await cluster.time.advance(3_500);
  expect(handled).toEqual(['1', '2']);
  return { hw, events, handled, told };
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

it('a partition begins behind a commit of before the session was lost that is still tried', async () => {
  const { hw, events, handled } = await member(1_000);
  cluster.takesCommits = false;
  cluster.hang(1);
  await write(hw, ['3']);
  await cluster.time.advance(1_500);
  expect(events).toEqual(['assigned', 'lost']);
  expect(handled).toEqual(['1', '2', '3']);
  cluster.goOn(1);
  await cluster.time.advance(2_000);
  cluster.takesCommits = true;
  await cluster.time.advance(2_000);
  await write(hw, ['4']);
  await cluster.time.advance(1_000);
  expect(events).toEqual(['assigned', 'lost', 'assigned']);
  expect(handled).toEqual(['1', '2', '3', '4']);
  expect(cluster.commits).toEqual([1, 2, 3, 4]);
});

it('a commit that was not sent before its session was lost is refused', async () => {
  const { hw, events, handled, told } = await member(1_000);
  cluster.hang(1);
  await write(hw, ['3']);
  await cluster.time.advance(100);
  await write(hw, ['4']);
  await cluster.time.advance(1_500);
  expect(events).toEqual(['assigned', 'lost']);
  expect(told).toEqual(['1', '2', '4 STALE_GENERATION']);
  cluster.goOn(1);
  await cluster.time.advance(3_000);
  expect(told).toEqual(['1', '2', '4 STALE_GENERATION', '3', '4']);
  expect(handled).toEqual(['1', '2', '3', '4', '4']);
});
