/**
 * Goal: a controller whose event loop stands still for half a second is not replaced, and moves nothing.
 * Method: the process is stopped and continued; the term, the active controller and the epochs of all
 * partitions are compared with what they were.
 */
import { expect, test } from 'vitest';
import type { Client } from '../../client/index.ts';
import { leaderWithIsr } from '../support/cluster-view.ts';
import { SteadyWriter } from '../support/steady-writer.ts';
import { withCluster } from '../support/with-cluster.ts';

const partitions = 12;
const stallMs = 500;

test.each([
  { what: 'that is a broker as well', options: { nodes: 3 } },
  { what: 'of its own process', options: { nodes: 3, controllers: 3 } },
])('an active controller $what may stand still for 500 ms', ({ options }) =>
  withCluster(options, async ({ cluster, client, place }) => {
    await client.admin.createTopic({ name: 'many', partitions, replicationFactor: 3 });
    const writer = new SteadyWriter(client, { topic: place.topic });
    await writer.acknowledges(100);
    for (let partition = 0; partition < partitions; partition++)
      await leaderWithIsr(client, { topic: 'many', partition }, 3);
    const before = await standing(client);
    for (let round = 0; round < 4; round++) {
      const node = cluster.node(before.controller ?? 0);
      node.pause();
      await new Promise((resolve) => setTimeout(resolve, stallMs));
      node.resume();
      await writer.acknowledges(200);
      expect(await standing(client)).toEqual(before);
    }
    await writer.stop();
    expect([...writer.failures]).toEqual([]);
  }),
);

/** Everything that an election of any kind would change. */
async function standing(client: Client) {
  const { controller, term, offlinePartitions, underReplicatedPartitions } =
    await client.admin.describeCluster();
  const topics = await Promise.all(
    ['many', 'orders'].map((name) => client.admin.describeTopic(name)),
  );
  const leaders = topics.flatMap(({ partitions: all }) =>
    all.map(({ partition, leader, leaderEpoch, isr }) => ({
      partition,
      leader,
      leaderEpoch,
      isr: [...isr].sort((a, b) => a - b),
    })),
  );
  return { controller, term, offlinePartitions, underReplicatedPartitions, leaders };
}
