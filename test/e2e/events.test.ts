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

it('what an active controller recorded is told by the next one, with who decides since when and why', async () => {
  await using cluster = await startCluster({ nodes: 3, settings: { 'session-ms': '600' } });
  await using hw = await connect({ brokers: cluster.brokers });
  await hw.admin.createTopic({ name: 'before', partitions: 1, replicationFactor: 3 });
  // What a process records in its last moment is lost with it: these are that moment.
  for (let last = 0; last < 10; last++)
    await hw.admin.createTopic({ name: `last-${last}`, partitions: 1, replicationFactor: 1 });
  const { controller = 0 } = await hw.admin.describeCluster();
  await cluster.kill(controller);
  await hw.admin.createTopic({ name: 'after', partitions: 1, replicationFactor: 2 });
  const events: ClusterEvent[] = [];
  for await (const event of hw.admin.events()) events.push(event);
  const subjects = events.map(({ kind, subject }) => `${kind} ${subject}`);
  for (const id of [1, 2, 3]) expect(subjects).toContain(`broker-registered broker ${id}`);
  expect(subjects).toContain('topic-created before');
  expect(subjects).toContain('topic-created after');
  const elections = events.filter(({ kind }) => kind === 'controller-elected');
  expect(elections.length).toBeGreaterThan(1);
  expect(elections.at(-1)).toMatchObject({
    reason: 'the former one is not heard any more',
    evidence: expect.objectContaining({ former: String(controller) }) as unknown,
  });
  const sequences = events.map(({ sequence }) => sequence);
  expect(sequences).toEqual([...sequences].sort((a, b) => a - b));
  expect(new Set(sequences).size).toBe(sequences.length);
});
