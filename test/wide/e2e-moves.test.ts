/**
 * Goal: what operators do to a healthy cluster costs no send and no record.
 * Method: a producer writes all the time while nodes restart, drain, and replicas move.
 */
import { expect, test } from 'vitest';
import { leaderWithIsr, partitionInfo, until } from '../support/cluster-view.ts';
import { expectKept } from '../support/expect-kept.ts';
import { SteadyWriter } from '../support/steady-writer.ts';
import { withCluster } from '../support/with-cluster.ts';

test('all nodes restart one after the other without a failed send', () =>
  withCluster({}, async ({ cluster, client, place }) => {
    const writer = new SteadyWriter(client, { topic: place.topic });
    await writer.acknowledges(100);
    for (const node of cluster.nodes) {
      expect(await node.kill('SIGTERM')).toBe(0);
      node.start();
      await node.ready();
      await leaderWithIsr(client, place, 3);
    }
    await writer.acknowledges(100);
    await writer.stop();
    expect([...writer.failures]).toEqual([]);
    await expectKept(client, place, { history: writer.history, replicas: [1, 2, 3] });
  }));

test('a drained broker leads nothing, and leads again when the drain is undone', () =>
  withCluster({}, async ({ client, place }) => {
    const writer = new SteadyWriter(client, { topic: place.topic });
    await writer.acknowledges(50);
    const leader = await leaderWithIsr(client, place, 3);
    await client.admin.drain(leader);
    await until(
      () => partitionInfo(client, place),
      (info) => info.leader !== undefined && info.leader !== leader,
      'another leader',
    );
    await client.admin.drain(leader, { undo: true });
    await client.admin.elect(place, { leader });
    await until(
      () => partitionInfo(client, place),
      (info) => info.leader === leader,
      'the first leader',
    );
    await writer.acknowledges(50);
    await writer.stop();
    expect([...writer.failures]).toEqual([]);
    await expectKept(client, place, { history: writer.history, replicas: [1, 2, 3] });
  }));

test('replicas move to another broker while records are written', () =>
  withCluster({ nodes: 4 }, async ({ client, place }) => {
    const writer = new SteadyWriter(client, { topic: place.topic });
    await writer.acknowledges(100);
    const { replicas } = await partitionInfo(client, place);
    const added = [1, 2, 3, 4].find((node) => !replicas.includes(node)) ?? 0;
    const target = [added, ...replicas.slice(1)];
    await client.admin.reassign(place, target);
    await until(
      () => partitionInfo(client, place),
      (info) => [...info.replicas].join() === target.join() && info.isr.length === 3,
      'the replicas are where they were asked for',
    );
    await writer.acknowledges(100);
    await writer.stop();
    expect([...writer.failures]).toEqual([]);
    await expectKept(client, place, { history: writer.history, replicas: target });
  }));
