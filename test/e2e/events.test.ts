/** Events of the cluster, while brokers and controllers come and go. */
import { expect, it } from 'vitest';
import { startCluster } from '../../broker/main/cluster.ts';
import { type ClusterEvent, connect } from '../../client/index.ts';

it('events are told on when the broker that tells them is isolated, or the controller', async () => {
  await using cluster = await startCluster({ nodes: 3, settings: { 'session-ms': '600' } });
  await using hw = await connect({ brokers: cluster.brokers });
  const stop = new AbortController();
  const events: ClusterEvent[] = [];
  const reading = (async () => {
    for await (const event of hw.admin.events({ follow: true, signal: stop.signal }))
      events.push(event);
  })();
  const told = async (subject: string): Promise<void> => {
    while (!events.some((event) => event.subject.includes(subject)))
      await new Promise((wait) => setTimeout(wait, 20));
  };
  await told('broker');
  for (const id of [1, 2, 3]) {
    cluster.isolate(id);
    await hw.admin.createTopic({ name: `while-${id}`, partitions: 1, replicationFactor: 1 });
    await told(`while-${id}`);
    cluster.heal(id);
    await cluster.ready();
  }
  stop.abort();
  await expect(reading).rejects.toMatchObject({ code: 'CANCELLED' });
  const revisions = events.map(({ revision }) => revision);
  expect(revisions).toEqual([...revisions].sort((a, b) => a - b));
  const texts = events.map(({ revision, sequence, kind }) => `${revision} ${sequence} ${kind}`);
  expect(new Set(texts).size).toBe(texts.length);
});
