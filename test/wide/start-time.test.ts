/**
 * Goal: a test of a user's own waits for its cluster less than half a second. Measured, not asserted: from
 * `startCluster` (imported before) to the first record that three replicas have flushed.
 */
import { expect, it } from 'vitest';
import { startCluster } from '../../broker/main/cluster.ts';
import { connect } from '../../client/index.ts';

const rounds = 7;

it('a cluster of three acknowledges its first record soon after it was asked for', async () => {
  const steps: Record<string, number[]> = { ready: [], connected: [], created: [], stored: [] };
  for (let round = 0; round < rounds; round++) {
    const began = performance.now();
    const note = (step: string): unknown => steps[step]?.push(performance.now() - began);
    await using cluster = await startCluster({ nodes: 3 });
    note('ready');
    await using hw = await connect({ brokers: cluster.brokers });
    note('connected');
    await hw.admin.createTopic({ name: 'first', partitions: 1, replicationFactor: 3 });
    note('created');
    const receipt = await hw.producer({ acks: 'all' }).send({ topic: 'first', value: 'v' });
    note('stored');
    expect(receipt.storedBy.length).toBe(3);
  }
  const median = (times: readonly number[] = []): number =>
    Math.round(times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0);
  const figures = Object.entries(steps).map(([step, times]) => [step, median(times)]);
  const worst = Math.round(Math.max(...(steps['stored'] ?? [])));
  console.log(JSON.stringify({ ...Object.fromEntries(figures), worst, rounds, unit: 'ms' }));
});
