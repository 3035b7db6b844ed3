/**
 * Goal: the in-sync set follows who keeps up, and the minimum is judged before anything is written.
 * Method: a follower hangs while its session outlives the topic's patience, so that the leader, and not
 * the controllers, finds it slow; then it goes on.
 */
import { expect, test } from 'vitest';
import { leaderWithIsr, partitionInfo, readReplica, until } from '../support/cluster-view.ts';
import { expectKept } from '../support/expect-kept.ts';
import { SteadyWriter } from '../support/steady-writer.ts';
import { withCluster } from '../support/with-cluster.ts';

const settings = { 'session-ms': '20000' };

test('a stopped follower leaves the in-sync set, and is back in it once it has caught up', () =>
  withCluster(
    { settings, topic: { 'replica.lag.time.max.ms': '500' } },
    async ({ cluster, client, place }) => {
      const writer = new SteadyWriter(client, { topic: place.topic });
      await writer.acknowledges(50);
      const leader = await leaderWithIsr(client, place, 3);
      const { controller } = await client.admin.describeCluster();
      const follower = cluster.nodes.find(({ id }) => id !== leader && id !== controller);
      expect(follower).toBeDefined();
      follower?.pause();
      const { isr } = await until(
        () => partitionInfo(client, place),
        (info) => info.isr.length === 2,
        'two in sync',
      );
      expect(isr).not.toContain(follower?.id);
      await writer.acknowledges(100);
      follower?.resume();
      await leaderWithIsr(client, place, 3);
      await writer.acknowledges(50);
      await writer.stop();
      expect(writer.failed).toBe(0);
      await expectKept(client, place, { history: writer.history, replicas: [1, 2, 3] });
    },
  ));

test('below the minimum a write at all is refused before it is appended', () =>
  withCluster(
    { settings, topic: { 'replica.lag.time.max.ms': '300', 'min.insync.replicas': '3' } },
    async ({ cluster, client, place }) => {
      const producer = client.producer({ deliveryTimeoutMs: 1_500 });
      await producer.send({ ...place, value: 'one' });
      const leader = await leaderWithIsr(client, place, 3);
      const { controller } = await client.admin.describeCluster();
      const follower = cluster.nodes.find(({ id }) => id !== leader && id !== controller);
      cluster.node(leader).log.length = 0;
      follower?.pause();
      // Nobody is behind while nothing is written: this one is, and only the leader and one more have it.
      await producer.send({ ...place, value: 'two' }, { acks: 'leader' });
      await until(
        () => Promise.resolve(cluster.node(leader).log.join('')),
        (log) => /"isr-changed".*"isr":\[\d,\d\]/.test(log),
        'the leader knows that two are in sync',
      );
      await expect(producer.send({ ...place, value: 'three' })).rejects.toMatchObject({
        outcome: 'not-written',
        facts: { lastCode: 'NOT_ENOUGH_REPLICAS' },
      });
      follower?.resume();
      await leaderWithIsr(client, place, 3);
      await client.producer().send({ ...place, value: 'four' });
      for (const { id } of cluster.nodes) {
        const texts = (await readReplica(client, place, id)).map(({ value }) => value.toString());
        expect({ id, texts }).toEqual({ id, texts: ['one', 'two', 'four'] });
      }
    },
  ));
