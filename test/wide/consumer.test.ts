/** What a consumer does for its user beside the loop: patterns, pauses, handlers that fail, and what is committed. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../../broker/main/cluster.ts';
import {
  type Client,
  type Consumer,
  type ConsumerEvent,
  connect,
  type ReadRecord,
} from '../../client/index.ts';

let cluster: Cluster;
let hw: Client;

beforeAll(async () => {
  // Offsets of groups that were left go soon; the other tests are quicker than that, or stay in their groups.
  cluster = await startCluster({ nodes: 3, settings: { 'offsets-retention-ms': '4000' } });
  hw = await connect({ brokers: cluster.brokers });
});

afterAll(async () => {
  await hw.close();
  await cluster.close();
});

async function createTopic(name: string, values: readonly string[], partitions = 1): Promise<void> {
  await hw.admin.createTopic({ name, partitions, replicationFactor: 3 });
  const producer = hw.producer();
  for (const value of values) await producer.send({ topic: name, key: value, value });
  await producer.close();
}

async function next(records: AsyncIterator<ReadRecord>, count: number): Promise<string[]> {
  const values: string[] = [];
  while (values.length < count) {
    const step: IteratorResult<ReadRecord, unknown> = await records.next();
    if (step.done === true) break;
    values.push(step.value.text());
  }
  return values;
}

function partitionsOf({ assignment }: Consumer): number[] {
  return assignment.map(({ partition }) => partition).toSorted((a, b) => a - b);
}

async function committedOf(group: string, topic: string): Promise<bigint | undefined> {
  const { partitions } = await hw.groups.describe(group);
  return partitions.find((one) => one.topic === topic)?.committed;
}

it('pause holds a partition, resume goes on, seek goes back, and commits follow', async () => {
  await createTopic('moved', ['0', '1', '2', '3']);
  await using consumer = hw.consumer({ group: 'movers', topics: ['moved'], from: 'earliest' });
  const records = consumer[Symbol.asyncIterator]();
  expect(await next(records, 2)).toEqual(['0', '1']);
  consumer.pause([{ topic: 'moved', partition: 0 }]);
  const held = next(records, 1);
  await hw.producer().send({ topic: 'moved', value: '4' });
  consumer.resume();
  expect(await held).toEqual(['2']);
  consumer.seek({ topic: 'moved', partition: 0, offset: 1n });
  expect(await next(records, 4)).toEqual(['1', '2', '3', '4']);
  await consumer.commit();
  expect(await committedOf('movers', 'moved')).toBe(4n);
  expect(() => consumer.seek({ topic: 'moved', partition: 7, offset: 0n })).toThrow(
    /does not hold moved\/7/,
  );
});

it('a pattern takes topics that exist, and those that come later', async () => {
  await createTopic('shop-a', ['a']);
  const pattern = { group: 'watchers', topicPattern: 'shop-.*', from: 'earliest' } as const;
  await using consumer = hw.consumer(pattern);
  const records = consumer[Symbol.asyncIterator]();
  expect(await next(records, 1)).toEqual(['a']);
  await createTopic('workshop-c', ['not this one']);
  await createTopic('shop-b', ['b']);
  expect(await next(records, 1)).toEqual(['b']);
});

it('a record that no attempt can handle goes to the dead-letter topic with its error, and is committed', async () => {
  await createTopic('jobs', ['good', 'bad', 'last']);
  await createTopic('jobs.failed', []);
  const events: ConsumerEvent[] = [];
  const attempts = new Map<string, number>();
  const onEvent = (event: ConsumerEvent): void => void events.push(event);
  const consumer = hw.consumer({ group: 'workers', topics: ['jobs'], from: 'earliest', onEvent });
  const running = consumer.run(
    (record) => {
      attempts.set(record.text(), (attempts.get(record.text()) ?? 0) + 1);
      if (record.text() === 'bad') throw new Error('cannot be done');
      if (record.text() === 'last') setImmediate(() => void consumer.close());
    },
    { deadLetter: { topic: 'jobs.failed', retries: 2, retryPauseMs: 1 } },
  );
  await running;
  expect(Object.fromEntries(attempts)).toEqual({ good: 1, bad: 3, last: 1 });
  expect(await committedOf('workers', 'jobs')).toBe(3n);
  expect(events).toContainEqual(expect.objectContaining({ kind: 'dead-letter', offset: 1n }));
  const reader = hw.reader({ topic: 'jobs.failed', from: 'earliest', follow: false });
  for await (const copy of reader) {
    expect([String(copy.key), copy.text()]).toEqual(['bad', 'bad']);
    expect(String(copy.header('highwater.dead-letter.error'))).toBe('Error: cannot be done');
    expect(String(copy.header('highwater.dead-letter.offset'))).toBe('1');
  }
});

it('without one, the run ends with the error, and the record is handed out again', async () => {
  await createTopic('strict', ['good', 'bad']);
  await using consumer = hw.consumer({ group: 'strict', topics: ['strict'], from: 'earliest' });
  const seen: string[] = [];
  const failing = consumer.run((record) => {
    seen.push(record.text());
    if (record.text() === 'bad') throw new Error('cannot be done');
  });
  await expect(failing).rejects.toThrow('cannot be done');
  expect(seen).toEqual(['good', 'bad']);
  expect(await committedOf('strict', 'strict')).toBe(1n);
  expect(await next(consumer[Symbol.asyncIterator](), 1)).toEqual(['bad']);
});

it('automatic commits stay behind the record that is being handled', async () => {
  await createTopic('auto', ['0', '1', '2']);
  const options = { group: 'auto', topics: ['auto'], from: 'earliest' } as const;
  const first = hw.consumer({ ...options, autoCommit: true, autoCommitIntervalMs: 20 });
  for await (const record of first) {
    if (record.offset < 2n) continue;
    await expect.poll(() => committedOf('auto', 'auto')).toBe(2n);
    break;
  }
  await first.close();
  await using second = hw.consumer(options);
  expect(await next(second[Symbol.asyncIterator](), 1)).toEqual(['2']);
});

it('a slow handler is reported and keeps its partitions beyond the session', async () => {
  await createTopic('slow', ['long', 'short']);
  const events: string[] = [];
  let reported: () => void = () => undefined;
  const onEvent = ({ kind }: ConsumerEvent): void => {
    events.push(kind);
    if (kind === 'slow-handler') reported();
  };
  await using consumer = hw.consumer({
    ...{ group: 'slow', topics: ['slow'], from: 'earliest' },
    ...{ sessionTimeoutMs: 1_000, slowHandlerMs: 1_500, onEvent },
  });
  for await (const record of consumer) {
    if (record.text() === 'long') await new Promise<void>((resolve) => (reported = resolve));
    await consumer.commit(record);
    if (record.text() === 'short') break;
  }
  expect(events).toEqual(['assigned', 'slow-handler']);
});

it('a static member that comes back gets what it had, and nobody else notices', async () => {
  await createTopic('shared', [], 6);
  const moved: ConsumerEvent[] = [];
  const options = { group: 'static', topics: ['shared'], from: 'earliest' } as const;
  await using other = hw.consumer({
    ...options,
    instance: 'b',
    onEvent: (event) => void moved.push(event),
  });
  void other.run(() => undefined);
  const client = await connect({ brokers: cluster.brokers });
  const consumer = client.consumer({ ...options, instance: 'a' });
  const replaced = expect(consumer.run(() => undefined)).rejects.toThrow('took the place');
  await expect.poll(() => [consumer.assignment.length, other.assignment.length]).toEqual([3, 3]);
  const before = partitionsOf(consumer);
  moved.length = 0;
  // As a process that is started again: the one before it says nothing.
  await using again = hw.consumer({ ...options, instance: 'a' });
  void again.run(() => undefined);
  await expect.poll(() => partitionsOf(again)).toEqual(before);
  expect(moved).toEqual([]);
  await replaced;
  await client.close();
});

it('a group that was left is forgotten after the retention of its offsets, one with members is not', async () => {
  await createTopic('kept', ['x']);
  await using stays = hw.consumer({ group: 'stays', topics: ['kept'], from: 'earliest' });
  await using leaves = hw.consumer({ group: 'leaves', topics: ['kept'], from: 'earliest' });
  for (const consumer of [stays, leaves]) {
    for await (const record of consumer) {
      await consumer.commit(record);
      break;
    }
  }
  await leaves.close();
  const names = async () => (await hw.groups.list()).map(({ group }) => group);
  expect(await names()).toContain('leaves');
  await expect.poll(names, { timeout: 20_000 }).not.toContain('leaves');
  expect(await committedOf('stays', 'kept')).toBeDefined();
});
