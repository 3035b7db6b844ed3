/**
 * Open loop: each record has a time at which it is to be sent, and its latency counts from there, also
 * where the sender or the cluster was late. So a pause is seen by all the records that fell into it.
 */

import { LatencyHistogram, sharedNow } from '../../client/cli/load/latency-histogram.ts';
import type { Client } from '../../client/index.ts';
import { LatencyBuckets } from '../harness/latency-buckets.ts';
import { tell } from './produce-load.ts';
import type { LoadOutcome, PacedRequest } from './requests.ts';
import type { ValueRing } from './values.ts';

const tickMs = 1;
const startInMs = 50;

/** Sends the records and resolves when all have their outcome. */
export async function pacedLoad(
  client: Client,
  request: PacedRequest,
  ring: ValueRing,
): Promise<LoadOutcome> {
  const { topic, acks, count, warmUp, recordsPerSecond } = request;
  const producer = client.producer({ acks });
  const histogram = new LatencyHistogram();
  const lateness = new LatencyHistogram();
  const buckets = new LatencyBuckets();
  const faults: string[] = [];
  const cpuBefore = process.cpuUsage();
  const began = sharedNow() + startInMs;
  const everyMs = 1000 / recordsPerSecond;
  let acknowledged = 0;
  await new Promise<void>((resolve) => {
    let next = 0;
    let decided = 0;
    const decide = (): void => {
      if (++decided === count) resolve();
    };
    const send = (index: number): void => {
      const intended = began + index * everyMs;
      if (index >= warmUp) lateness.record(sharedNow() - intended);
      producer.send({ topic, value: ring.timed(index, intended) }).then(
        () => {
          acknowledged++;
          if (index >= warmUp) {
            const tookMs = sharedNow() - intended;
            histogram.record(tookMs);
            buckets.record(tookMs);
          }
          decide();
        },
        (caught: unknown) => {
          tell(faults, caught);
          decide();
        },
      );
    };
    const tick = (): void => {
      const due = Math.min(count, Math.floor((sharedNow() - began) / everyMs) + 1);
      while (next < due) send(next++);
      if (next < count) setTimeout(tick, tickMs);
    };
    setTimeout(tick, startInMs);
  });
  const seconds = (sharedNow() - began) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  await producer.close();
  return {
    seconds,
    cpu,
    tally: ring.tally(acknowledged),
    latency: histogram.summary(),
    lateness: lateness.summary(),
    buckets: buckets.all,
    faults,
  };
}
