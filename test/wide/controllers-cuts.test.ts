/**
 * Goal: a network that carries some ways and not others replaces the active controller once at the
 * most, and what clients read of the metadata is what one copy would have told them.
 * Method: proxies between real processes hold single directions while clients write and read; their
 * history is judged by a checker that knows nothing of the product.
 */
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { type Client, connect } from '../../client/index.ts';
import { until } from '../support/cluster-view.ts';
import { checkRegisters } from '../support/linearizability.ts';
import { ProcessCluster } from '../support/process-cluster.ts';
import { RegisterClients } from '../support/register-clients.ts';

/** The active controller, the two others, and a broker. */
interface Parts {
  readonly active: number;
  readonly one: number;
  readonly two: number;
  readonly broker: number;
}

type Ways = readonly (readonly [from: number, to: number])[];

const cuts: readonly { readonly what: string; readonly held: (parts: Parts) => Ways }[] = [
  { what: 'the active one is not heard by one other', held: ({ active, one }) => [[active, one]] },
  { what: 'the active one does not hear one other', held: ({ active, one }) => [[one, active]] },
  {
    what: 'the active one and one other hear only the third',
    held: ({ active, one }) => [
      [active, one],
      [one, active],
    ],
  },
  {
    what: 'the two others do not hear each other',
    held: ({ one, two }) => [
      [one, two],
      [two, one],
    ],
  },
  {
    what: 'one other is heard and hears nobody',
    held: ({ active, one, two }) => [
      [active, one],
      [two, one],
    ],
  },
  {
    what: 'the active one is heard by nobody of the quorum',
    held: ({ active, one, two }) => [
      [active, one],
      [active, two],
    ],
  },
  {
    what: 'the active one hears nobody of the quorum',
    held: ({ active, one, two }) => [
      [one, active],
      [two, active],
    ],
  },
  {
    what: 'a broker and the active one do not hear each other',
    held: ({ active, broker }) => [
      [active, broker],
      [broker, active],
    ],
  },
  {
    // What it knows is old, and it may not answer with it.
    what: 'a broker hears no controller',
    held: ({ active, one, two, broker }) => [
      [active, broker],
      [one, broker],
      [two, broker],
    ],
  },
];

const cutMs = 3_000;
const controllers = [3, 4, 5];

test('asymmetric and non-transitive cuts cost one term at the most, and reads stay linearizable', async () => {
  const cluster = await ProcessCluster.start({ nodes: 2, controllers: 3, hasProxies: true });
  try {
    const client = await connect({ brokers: cluster.brokers });
    const registers = ['one', 'two', 'three'];
    for (const name of registers)
      await client.admin.createTopic({ name, partitions: 1, replicationFactor: 1 });
    const clients = new RegisterClients(cluster.brokers, registers, 8);
    const costs: Record<string, boolean> = {};
    const leadersAtFirst = await elected(cluster);
    for (const { what, held } of cuts) {
      await clients.progress(10);
      const before = await standing(client);
      const [one = 0, two = 0] = controllers.filter((node) => node !== before.controller);
      const leadersBefore = await elected(cluster);
      for (const [from, to] of held({ active: before.controller, one, two, broker: 1 }))
        cluster.network.hold(from, to);
      await new Promise((resolve) => setTimeout(resolve, cutMs));
      cluster.network.heal();
      await clients.progress(5);
      const after = await standing(client);
      const leaders = (await elected(cluster)) - leadersBefore;
      costs[what] = after.term - before.term <= 1 && leaders <= 1;
    }
    await clients.stop();
    await client.close();
    // An active controller that nobody hears, or that hears nobody, is replaced: the cuts are real.
    expect((await elected(cluster)) - leadersAtFirst).toBeGreaterThanOrEqual(2);
    expect(costs).toEqual(Object.fromEntries(cuts.map(({ what }) => [what, true])));
    const { operations } = clients;
    expect(operations.filter(({ kind }) => kind === 'write').length).toBeGreaterThan(100);
    expect(operations.filter(({ kind }) => kind === 'read').length).toBeGreaterThan(200);
    expect(checkRegisters(operations)).toEqual({ kind: 'linearizable' });
  } finally {
    await cluster.stop();
  }
});

async function standing(client: Client): Promise<{ controller: number; term: number }> {
  const { controller = 0, term } = await until(
    () => client.admin.describeCluster({ timeoutMs: 1_000 }),
    (cluster) => cluster.controller !== undefined,
    'an active controller',
  );
  return { controller, term };
}

/** Elections that were won so far, as the controllers logged them. */
async function elected(cluster: ProcessCluster): Promise<number> {
  const logs = await Promise.all(
    controllers.map((node) => readFile(cluster.node(node).logPath, 'utf8')),
  );
  return logs.reduce((sum, log) => sum + log.split('"quorum-leader"').length - 1, 0);
}
