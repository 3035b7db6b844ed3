/** A producer that sends as fast as the cluster acknowledges. */
import type { Client, Producer, ProducerRecord, SentBatch } from '../../client/index.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import type { LoadOutcome, ProduceRequest } from './requests.ts';
import type { ValueRing } from './values.ts';

/** More than is ever under way. */
const bufferBytesMax = 128 * 1024 * 1024;
const groupBytes = 1024 * 1024;

/** Runs the request; the clock stops at the last acknowledgement. */
export async function produceLoad(
  client: Client,
  request: ProduceRequest,
  ring: ValueRing,
): Promise<LoadOutcome> {
  const producer = client.producer({ acks: request.acks, bufferBytesMax });
  await producer.send({ topic: request.topic, partition: 0, value: ring.at(0) });
  const faults: string[] = [];
  const cpuBefore = process.cpuUsage();
  const began = performance.now();
  const rest = { ...request, count: request.count - 1 };
  const acknowledged =
    request.form === 'batch'
      ? await sendBatches(producer, rest, { ring, faults })
      : await sendEach(producer, rest, { ring, faults });
  const seconds = (performance.now() - began) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  await producer.close();
  return { seconds, cpu, tally: ring.tally(acknowledged + 1), latency: undefined, faults };
}

interface Source {
  readonly ring: ValueRing;
  readonly faults: string[];
}

function recordAt(request: ProduceRequest, ring: ValueRing, index: number): ProducerRecord {
  const value = ring.at(index);
  const { topic } = request;
  return request.isKeyed ? { topic, key: String(index), value } : { topic, value };
}

async function sendBatches(
  producer: Producer,
  request: ProduceRequest,
  { ring, faults }: Source,
): Promise<number> {
  const { count, valueBytes, inFlight } = request;
  const groupRecords = Math.ceil(groupBytes / valueBytes);
  const underWayMax = Math.max(1, Math.floor(inFlight / (groupRecords * valueBytes)));
  const underWay: Promise<SentBatch>[] = [];
  let acknowledged = 0;
  const oldest = async (): Promise<void> => {
    try {
      acknowledged += (await underWay.shift())?.count ?? 0;
    } catch (caught) {
      tell(faults, caught);
    }
  };
  for (let sent = 0; sent < count; ) {
    const records: ProducerRecord[] = [];
    for (const end = Math.min(count, sent + groupRecords); sent < end; sent++)
      records.push(recordAt(request, ring, sent + 1));
    underWay.push(producer.sendBatch(records));
    if (underWay.length >= underWayMax) await oldest();
  }
  while (underWay.length > 0) await oldest();
  return acknowledged;
}

function sendEach(
  producer: Producer,
  request: ProduceRequest,
  { ring, faults }: Source,
): Promise<number> {
  const { count, inFlight } = request;
  return new Promise((resolve) => {
    let sent = 0;
    let decided = 0;
    let acknowledged = 0;
    let isFilling = false;
    const fill = (): void => {
      isFilling = false;
      while (sent < count && sent - decided < inFlight)
        producer.send(recordAt(request, ring, ++sent)).then(onReceipt, onFailure);
      if (decided === count) resolve(acknowledged);
    };
    const onDecided = (): void => {
      decided++;
      if (isFilling) return;
      isFilling = true;
      queueMicrotask(fill);
    };
    const onReceipt = (): void => {
      acknowledged++;
      onDecided();
    };
    const onFailure = (caught: unknown): void => {
      tell(faults, caught);
      onDecided();
    };
    fill();
  });
}

const faultsMax = 5;

/** Notes the first few errors. */
export function tell(faults: string[], caught: unknown): void {
  if (faults.length < faultsMax) faults.push(String(HighwaterError.from(caught)));
}
