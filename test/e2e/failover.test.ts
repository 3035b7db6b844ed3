/**
 * Goal: the shortest proof that the built product is a cluster: three processes, a leader that is
 * killed, a planned restart, and every replica with what the producer was told. `test/wide` has the rest.
 */
import { expect, test } from 'vitest';
import { leaderWithIsr } from '../support/cluster-view.ts';
import { expectKept } from '../support/expect-kept.ts';
import { SteadyWriter } from '../support/steady-writer.ts';
import { withCluster } from '../support/with-cluster.ts';

test('a killed leader and an orderly restart cost no send and no record', () =>
  withCluster({}, async ({ cluster, client, place }) => {
    const writer = new SteadyWriter(client, { topic: place.topic });
    await writer.acknowledges(50);
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      const leader = cluster.node(await leaderWithIsr(client, place, 3));
      await leader.kill(signal);
      await writer.acknowledges(50);
      leader.start();
      await leader.ready();
    }
    await leaderWithIsr(client, place, 3);
    await writer.stop();
    expect([...writer.failures]).toEqual([]);
    await expectKept(client, place, { history: writer.history, replicas: [1, 2, 3] });
  }));
