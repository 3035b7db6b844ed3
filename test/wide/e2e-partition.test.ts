/**
 * Goal: a leader that is cut off from the other nodes, but not from its clients, takes nothing that
 * could be lost, and joins again without leaving a trace of what only it had.
 * Method: proxies between real nodes hold both directions, or one.
 */
import { expect, test } from 'vitest';
import { connect } from '../../client/index.ts';
import { leaderWithIsr, until } from '../support/cluster-view.ts';
import { expectKept } from '../support/expect-kept.ts';
import { SteadyWriter } from '../support/steady-writer.ts';
import { type Stage, withCluster } from '../support/with-cluster.ts';

function othersThan(id: number): number[] {
  return [1, 2, 3].filter((other) => other !== id);
}

async function steadyLeader({ client, place }: Stage, writer: SteadyWriter): Promise<number> {
  await writer.acknowledges(100);
  return leaderWithIsr(client, place, 3);
}

test('a leader that is cut off is replaced, fenced, and cut back once the partition heals', () =>
  withCluster({ hasProxies: true }, async (stage) => {
    const { cluster, client, place } = stage;
    const writer = new SteadyWriter(client, { topic: place.topic });
    const leader = await steadyLeader(stage, writer);
    // A client that speaks to the old leader alone goes on to write there.
    const cutOff = await connect({ brokers: [cluster.node(leader).grpc] });
    cluster.network.isolate(leader, othersThan(leader));
    const alone = cutOff
      .producer({ deliveryTimeoutMs: 1_000, acks: 'all' })
      .send({ ...place, value: 'alone' })
      .then(
        () => 'acknowledged',
        () => 'failed',
      );
    await until(
      () => leaderWithIsr(client, place, 2),
      (next) => next !== leader,
      'another leader',
    );
    await writer.acknowledges(100);
    expect(await alone).toBe('failed');
    cluster.network.heal();
    await leaderWithIsr(client, place, 3);
    await writer.acknowledges(100);
    await writer.stop();
    await cutOff.close();
    expect(cluster.node(leader).log.join('')).toContain('stepped-down');
    await expectKept(client, place, { history: writer.history, replicas: [1, 2, 3] });
  }));

test.each(['to', 'from'] as const)(
  'nothing acknowledged is lost when only what goes %s the leader is cut',
  (direction) =>
    withCluster({ hasProxies: true }, async (stage) => {
      const { cluster, client, place } = stage;
      const writer = new SteadyWriter(client, { topic: place.topic });
      const leader = await steadyLeader(stage, writer);
      for (const other of othersThan(leader)) {
        if (direction === 'to') cluster.network.hold(other, leader);
        else cluster.network.hold(leader, other);
      }
      await writer.acknowledges(100);
      cluster.network.heal();
      await leaderWithIsr(client, place, 3);
      await writer.stop();
      await expectKept(client, place, { history: writer.history, replicas: [1, 2, 3] });
    }),
);

test('a follower that is cut off and comes back has what the others have', () =>
  withCluster({ hasProxies: true }, async (stage) => {
    const { cluster, client, place } = stage;
    const writer = new SteadyWriter(client, { topic: place.topic });
    const leader = await steadyLeader(stage, writer);
    const [follower = 0] = othersThan(leader);
    cluster.network.isolate(follower, othersThan(follower));
    await leaderWithIsr(client, place, 2);
    await writer.acknowledges(100);
    cluster.network.heal();
    await leaderWithIsr(client, place, 3);
    await writer.stop();
    expect(writer.failed).toBe(0);
    await expectKept(client, place, { history: writer.history, replicas: [1, 2, 3] });
  }));
