/** A Node client of Kafka, `@platformatic/kafka`, the fastest of those that we know, in its own process. */
import { Producer } from '@platformatic/kafka';
import { randomPayloads } from '../harness/payload.ts';
import { serveWorker } from '../harness/worker.ts';
import { keepInFlight } from './in-flight.ts';
import { noAnswer, type PeerAnswer, type PeerProduce, type PeerRequest } from './peer-requests.ts';

/** Payload of one send in the batch form: what serves this client best. */
const batchBytes = 250_000;

async function produce(request: PeerProduce): Promise<PeerAnswer> {
  const { servers, topic, partitions, valueBytes, count, form, inFlight } = request;
  const producer = new Producer({ clientId: 'bench', bootstrapBrokers: [...servers], retries: 5 });
  const values = randomPayloads(1_000, valueBytes);
  const each = form === 'send' ? 1 : Math.max(1, Math.floor(batchBytes / valueBytes));
  const sends = Math.ceil(count / each);
  const send = (index: number): Promise<unknown> => {
    const first = index * each;
    const messages = Array.from({ length: Math.min(each, count - first) }, (_, at) => ({
      topic,
      // All records of a send go to one partition: a batch for each request, as large as may be.
      partition: index % partitions,
      value: values[(first + at) % values.length] ?? Buffer.alloc(0),
    }));
    return producer.send({ messages, acks: -1 });
  };
  try {
    const began = performance.now();
    await keepInFlight({ sends, inFlight }, send);
    return { ...noAnswer, seconds: (performance.now() - began) / 1000, acknowledged: count };
  } finally {
    await producer.close();
  }
}

serveWorker((request: PeerRequest): Promise<PeerAnswer> => {
  if (request.kind !== 'produce') throw new Error(`${request.kind} is not for this worker`);
  return produce(request);
});
