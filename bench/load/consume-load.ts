/** A consumer in a group of its own: the loop that a user writes, and the first and last byte of each value. */

import { LatencyHistogram, sharedNow } from '../../client/cli/load/latency-histogram.ts';
import type { Client } from '../../client/index.ts';
import type { ConsumeRequest, LoadOutcome } from './requests.ts';

/** Consumes the records from the start; the clock runs from the first record to the last. */
export async function consumeLoad(client: Client, request: ConsumeRequest): Promise<LoadOutcome> {
  const { group, topic, count, isTimed, warmUp } = request;
  const consumer = client.consumer({ group, topics: [topic], from: 'earliest' });
  const histogram = isTimed ? new LatencyHistogram() : undefined;
  let records = 0;
  let sum = 0;
  let cpuBefore = process.cpuUsage();
  let began = performance.now();
  for await (const { value } of consumer) {
    if (value === null) break;
    if (records === 0) {
      began = performance.now();
      cpuBefore = process.cpuUsage();
    }
    sum += (value[0] ?? 0) + (value[value.length - 1] ?? 0);
    if (records >= warmUp) histogram?.record(sharedNow() - value.readDoubleLE(0));
    if (++records === count) break;
  }
  const seconds = (performance.now() - began) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  await consumer.close();
  return { seconds, cpu, tally: { records, sum }, latency: histogram?.summary(), faults: [] };
}
