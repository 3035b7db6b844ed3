import { expect, it } from 'vitest';
import { BatchWaiters } from '../../../client/producer/batch-waiters.ts';
import { PartitionProducer } from '../../../client/producer/partition-producer.ts';
import { Session } from '../../../client/session/session.ts';
import { HighwaterError } from '../../../proto/model/errors.ts';
import { nodeId, partitionNumber, topicId } from '../../../proto/model/ids.ts';
import { leaderEpoch, offset } from '../../../proto/model/offset.ts';
import { SeededRandom } from '../../../proto/ports/memory/seeded-random.ts';
import { nodeClock } from '../../../proto/ports/node/node-clock.ts';

const answer = {
  baseOffset: offset(0),
  lastOffset: offset(0),
  leaderEpoch: leaderEpoch(1),
  storedBy: [nodeId(1)],
  isrSize: 1,
  degraded: false,
  duplicate: false,
};

function writeWith(memory: Buffer, act: (partition: PartitionProducer, send: () => void) => void) {
  const freed: Buffer[] = [];
  const partition = new PartitionProducer(
    {
      clock: nodeClock,
      random: new SeededRandom(1),
      session: new Session(),
      isIdempotent: false,
      storedLevel: () => Promise.reject(new Error('nobody asks')),
      bytesChanged() {},
      memoryFree: (one) => freed.push(one),
      batchLeft() {},
      batchOver() {},
      identityWanted() {},
    },
    {
      topicId: topicId('00000000-0000-4000-8000-000000000001'),
      name: 'orders',
      isInternal: false,
      partitions: [],
      config: new Map(),
    },
    partitionNumber(0),
  );
  const batch = partition.queue.begin({
    acks: 'all',
    waiters: new BatchWaiters(),
    bytesMax: 1000,
    bytesExpected: 100,
    memory,
    deadlineMs: Number.POSITIVE_INFINITY,
    isExclusive: false,
    expectedOffset: undefined,
  });
  batch.builder?.append(0, null, 'value');
  act(partition, () => {
    partition.queue.send(batch);
  });
  const deliver = partition.queue.batches()[0];
  if (deliver !== undefined) partition.written(deliver, deliver.attempts, answer);
  partition.close(new HighwaterError('CLOSED', 'the end'));
  return freed;
}

it('memory of a batch is free once its only attempt is acknowledged', () => {
  const memory = Buffer.alloc(512);
  const freed = writeWith(memory, (_, send) => send());
  expect(freed.length === 1 && freed[0] === memory).toBe(true);
});

it('memory of a batch that was sent twice is not used again: the first attempt may still be on its way', () => {
  const freed = writeWith(Buffer.alloc(512), (partition, send) => {
    send();
    const [batch] = partition.queue.batches();
    const refusal = new HighwaterError('LEADERSHIP_LOST', 'gone', { outcome: 'not-written' });
    if (batch !== undefined) partition.refused(batch, 1, refusal);
    send();
  });
  expect(freed).toHaveLength(0);
});
