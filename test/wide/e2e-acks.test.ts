/**
 * Goal: what each ack level promises when the leader dies, no less and no more.
 * Method: the leader is cut off from both followers, goes on for a moment, and is killed with what
 * was on its way. What it had alone is gone; what was acknowledged must not be, except at `leader`.
 */
import { expect, test } from 'vitest';
import type { Acks } from '../../client/index.ts';
import { leaderWithIsr, readReplica, until } from '../support/cluster-view.ts';
import { expectKept } from '../support/expect-kept.ts';
import { SteadyWriter } from '../support/steady-writer.ts';
import { type Stage, withCluster } from '../support/with-cluster.ts';

/** What becomes of one record that only the leader can store before it dies. */
async function sendWhileAlone(
  { cluster, client, place }: Stage,
  acks: Acks,
): Promise<'acknowledged' | 'unanswered'> {
  const producer = client.producer({ acks, idempotent: false });
  await producer.send({ ...place, value: 'before' }, { acks: 'all' });
  const leader = await leaderWithIsr(client, place, 3);
  const followers = [1, 2, 3].filter((id) => id !== leader);
  cluster.network.isolate(leader, followers);
  const outcome = await Promise.race([
    producer.send({ ...place, value: 'alone' }).then(() => 'acknowledged' as const),
    new Promise<'unanswered'>((resolve) => setTimeout(() => resolve('unanswered'), 800)),
  ]);
  await cluster.node(leader).kill('SIGKILL');
  cluster.network.drop(leader);
  cluster.network.heal();
  await leaderWithIsr(client, place, 2);
  cluster.node(leader).start();
  await leaderWithIsr(client, place, 3);
  await producer.close({ timeoutMs: 100 });
  return outcome;
}

test('a record acknowledged at leader can be lost with the leader', () =>
  withCluster({ hasProxies: true }, async (stage) => {
    expect(await sendWhileAlone(stage, 'leader')).toBe('acknowledged');
    const { cluster, client, place } = stage;
    for (const { id } of cluster.nodes) {
      const texts = (await readReplica(client, place, id)).map(({ value }) => value.toString());
      expect({ id, texts }).toEqual({ id, texts: ['before'] });
    }
  }));

test.each(['semi-sync', 'all'] as const)(
  'a record that the leader alone has is never acknowledged at %s',
  (acks) =>
    withCluster({ hasProxies: true }, async (stage) => {
      expect(await sendWhileAlone(stage, acks)).toBe('unanswered');
    }),
);

test.each(['semi-sync', 'all'] as const)(
  'records acknowledged at %s survive every leader that is killed',
  (acks) =>
    withCluster({}, async ({ cluster, client, place }) => {
      const writer = new SteadyWriter(client, { topic: place.topic, acks });
      for (let round = 0; round < 4; round++) {
        await writer.acknowledges(100);
        const leader = cluster.node(await leaderWithIsr(client, place, 3));
        await leader.kill('SIGKILL');
        await writer.acknowledges(100);
        leader.start();
        await leader.ready();
      }
      await leaderWithIsr(client, place, 3);
      await writer.stop();
      expect([...writer.failures]).toEqual([]);
      await expectKept(client, place, { history: writer.history, replicas: [1, 2, 3] });
    }),
);

test('a leader that hangs is replaced, and cuts what nobody else has when it goes on', () =>
  withCluster({}, async ({ cluster, client, place }) => {
    const writer = new SteadyWriter(client, { topic: place.topic });
    await writer.acknowledges(100);
    const leader = cluster.node(await leaderWithIsr(client, place, 3));
    leader.pause();
    await leaderWithIsr(client, place, 2);
    await writer.acknowledges(100);
    leader.resume();
    await leaderWithIsr(client, place, 3);
    await until(
      () => Promise.resolve(leader.log.join('')),
      (log) => log.includes('stepped-down'),
      'the old leader says that it leads no more',
    );
    await writer.stop();
    expect([...writer.failures]).toEqual([]);
    await expectKept(client, place, { history: writer.history, replicas: [1, 2, 3] });
  }));
