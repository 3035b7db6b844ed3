/** The client process: one request at a time, with a client of its own for each. */
import { serveWorker } from '../harness/worker.ts';
import { connectBuilt } from './built-client.ts';
import { consumeLoad } from './consume-load.ts';
import { pacedLoad } from './paced-load.ts';
import { produceLoad } from './produce-load.ts';
import type { LoadAnswer, LoadOutcome, LoadRequest } from './requests.ts';
import { ValueRing } from './values.ts';
import { verifyReplica } from './verify-replica.ts';

const rings = new Map<number, ValueRing>();

function ringOf(valueBytes: number): ValueRing {
  const ring = rings.get(valueBytes) ?? new ValueRing(valueBytes);
  rings.set(valueBytes, ring);
  return ring;
}

async function run(request: LoadRequest): Promise<LoadOutcome> {
  const client = await connectBuilt(request.brokers);
  try {
    switch (request.kind) {
      case 'produce':
        return await produceLoad(client, request, ringOf(request.valueBytes));
      case 'paced':
        return await pacedLoad(client, request, ringOf(request.valueBytes));
      case 'consume':
        return await consumeLoad(client, request);
      case 'verify':
        return await verifyReplica(client, request);
    }
  } finally {
    await client.close();
  }
}

serveWorker(async (request: LoadRequest): Promise<LoadAnswer> => {
  const { cpu, ...outcome } = await run(request);
  return { ...outcome, cpuSeconds: (cpu.user + cpu.system) / 1e6 };
});
