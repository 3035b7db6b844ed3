/** Reads one replica of every partition to its end and adds up what it holds. */
import type { Client, ReadBatch } from '../../client/index.ts';
import { tell } from './produce-load.ts';
import type { LoadOutcome, VerifyRequest } from './requests.ts';
import { checksumOf } from './values.ts';

const verifyMsMax = 60_000;

export async function verifyReplica(client: Client, request: VerifyRequest): Promise<LoadOutcome> {
  const cpuBefore = process.cpuUsage();
  const began = performance.now();
  const reader = client.reader({
    topic: request.topic,
    from: 'earliest',
    to: 'latest',
    level: 'any',
    readFrom: request.node,
    signal: AbortSignal.timeout(verifyMsMax),
  });
  let records = 0;
  let sum = 0;
  const faults: string[] = [];
  const count = (batch: ReadBatch): void => {
    const cursor = batch.cursor();
    while (cursor.next()) {
      records++;
      sum += checksumOf(cursor.value() ?? Buffer.alloc(0));
    }
  };
  try {
    for await (const batch of reader.batches()) count(batch);
  } catch (caught) {
    tell(faults, caught);
  }
  return {
    seconds: (performance.now() - began) / 1000,
    cpu: process.cpuUsage(cpuBefore),
    tally: { records, sum },
    latency: undefined,
    faults,
  };
}
