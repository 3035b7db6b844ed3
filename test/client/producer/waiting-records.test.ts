import { afterEach, expect, it } from 'vitest';
import { FakeCluster } from '../support/fake-cluster.ts';
import { rejection } from '../support/rejection.ts';

let cluster: FakeCluster;
afterEach(() => cluster.close());

const bufferBytesMax = 64 * 1024;

/** A producer whose memory is full as long as acknowledgements are held. */
async function open() {
  cluster = new FakeCluster();
  const topic = cluster.createTopic('orders');
  const hw = await cluster.connect();
  const producer = hw.producer({ bufferBytesMax });
  const fill = () => {
    for (const partition of topic.partitions) partition.isAckHeld = true;
    return producer.send({ topic: 'orders', value: Buffer.alloc(bufferBytesMax) });
  };
  const makeRoom = (): void => {
    for (const partition of topic.partitions) partition.releaseAcks();
  };
  return { producer, fill, makeRoom };
}

it('a record for a partition that there is not leaves no trace of having waited for room', async () => {
  const { producer, fill, makeRoom } = await open();
  for (let round = 0; round < 4; round++) {
    const filling = fill();
    await cluster.time.advance(200);
    const wrong = { topic: 'orders', partition: 7, value: Buffer.alloc(bufferBytesMax / 2) };
    const refused = rejection(producer.send(wrong));
    makeRoom();
    expect((await cluster.run(refused)).code).toBe('UNKNOWN_PARTITION');
    await cluster.run(filling);
  }
});

it.each([{ atomic: true }, { atomic: false }])(
  'a batch that waits for room is given up with its signal: %o',
  async ({ atomic }) => {
    const { producer, fill, makeRoom } = await open();
    const filling = fill();
    await cluster.time.advance(200);
    const stop = new AbortController();
    const records = [1, 2].map(() => ({ topic: 'orders', value: 'v' }));
    const sent = rejection(producer.sendBatch(records, { atomic, signal: stop.signal }));
    await cluster.time.advance(100);
    stop.abort();
    const error = await cluster.run(sent, 100);
    expect(error.code).toBe('CANCELLED');
    if (atomic) expect(error.outcome).toBe('not-written');
    makeRoom();
    await cluster.run(filling);
  },
);

it('an atomic batch under way is given up with its signal, and may be written', async () => {
  const { producer, fill, makeRoom } = await open();
  const stop = new AbortController();
  const filling = fill();
  await cluster.time.advance(200);
  makeRoom();
  await cluster.run(filling);
  cluster.hang(1);
  const records = [{ topic: 'orders', value: 'v' }];
  const sent = rejection(producer.sendBatch(records, { atomic: true, signal: stop.signal }));
  await cluster.time.advance(100);
  stop.abort();
  expect(await cluster.run(sent, 100)).toMatchObject({
    code: 'CANCELLED',
    outcome: 'maybe-written',
  });
  cluster.goOn(1);
});

it('who waits for a stronger level is given up at once with its signal', async () => {
  cluster = new FakeCluster();
  const topic = cluster.createTopic('orders');
  const hw = await cluster.connect();
  const producer = hw.producer({ acks: 'leader' });
  const receipt = await cluster.run(producer.send({ topic: 'orders', value: 'v' }));
  for (const partition of topic.partitions) partition.replicasStored = 1;
  const stop = new AbortController();
  const waiting = rejection(receipt.reached('all', { signal: stop.signal }));
  await cluster.time.advance(100);
  stop.abort();
  expect((await cluster.run(waiting, 100)).code).toBe('CANCELLED');
});
