/** Requests that wait for their acknowledgement are bounded in bytes, whatever form they came in. */
import { expect, it } from 'vitest';
import { openAuthorizer } from '../../../broker/access/authorizer.ts';
import { Traffic } from '../../../broker/metrics/traffic.ts';
import { registerProduce } from '../../../broker/services/produce-service.ts';
import { produceService } from '../../../proto/generated/highwater/v1/produce.ts';
import { partitionNumber, type TopicId } from '../../../proto/model/ids.ts';
import { MemoryBed } from '../../proto/rpc/memory/memory-bed.ts';

it('a stream of plain records that nobody acknowledges is not read beyond the bound', async () => {
  const bed = new MemoryBed();
  let taken = 0;
  const topic = { topicId: '' as TopicId, name: 'orders', batchBytesMax: 2 ** 21 };
  // A replica without enough others: it takes the batch and waits.
  const replica = { state: {}, produce: () => taken++ };
  const partitions = { find: () => ({ kind: 'hosted', topic, replica }), leaderFacts: () => ({}) };
  registerProduce(bed.server, {
    partitions: partitions as never,
    authorizer: openAuthorizer,
    clock: bed.serverClock,
    traffic: new Traffic(),
    producerIds: undefined as never,
  });
  const channel = await bed.start();
  const stream = channel.stream(produceService.produceStream, { onMessage() {}, onClose() {} });
  const value = Buffer.alloc(500_000);
  const records = [{ value, headers: [] }];
  const write = { topicId: topic.topicId, topic: 'orders', partition: partitionNumber(0) };
  for (let requestId = 1; requestId <= 100; requestId++) {
    stream.send({
      ...{ requestId, acks: 'all', timeoutMs: 0, batches: [] },
      partitions: [{ ...write, batchBytes: 0, records }],
    });
    await bed.settled(new Promise<void>((resolve) => bed.clientClock.after(10, resolve)));
  }
  expect(taken).toBeGreaterThan(20);
  expect(taken).toBeLessThan(40);
  stream.cancel();
  await bed.close();
});
