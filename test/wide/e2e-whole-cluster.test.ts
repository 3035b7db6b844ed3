/**
 * Goal: what was acknowledged at `all` or `semi-sync` survives the death of every node at once.
 * Method: real processes are killed with SIGKILL under load and started again in any order; with the
 * lossy disk each of them also drops what it had not flushed.
 */
import { test } from 'vitest';
import type { Acks } from '../../client/index.ts';
import { leaderWithIsr } from '../support/cluster-view.ts';
import { expectKept } from '../support/expect-kept.ts';
import { SteadyWriter } from '../support/steady-writer.ts';
import { withCluster } from '../support/with-cluster.ts';

const orders = [
  [1, 2, 3],
  [3, 2, 1],
  [2, 3, 1],
];

function killAllAndRestart(disk: 'lossy' | undefined, acks: Acks): Promise<void> {
  return withCluster(disk === undefined ? {} : { disk }, async ({ cluster, client, place }) => {
    const writer = new SteadyWriter(client, { topic: place.topic, acks });
    for (const order of orders) {
      await writer.acknowledges(300);
      await Promise.all(cluster.nodes.map((node) => node.kill('SIGKILL')));
      for (const id of order) {
        cluster.node(id).start();
        // The first one is alone for a while: it must not lead by itself.
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
      await Promise.all(cluster.nodes.map((node) => node.ready()));
      await leaderWithIsr(client, place, 3);
    }
    await writer.acknowledges(100);
    await writer.stop();
    await expectKept(client, place, { history: writer.history, replicas: [1, 2, 3] });
  });
}

test('records acknowledged at all survive SIGKILL of every node', () =>
  killAllAndRestart(undefined, 'all'));

test('records acknowledged at all survive SIGKILL of every node and the loss of unflushed bytes', () =>
  killAllAndRestart('lossy', 'all'));

test('records acknowledged at semi-sync survive SIGKILL of every node and the loss of unflushed bytes', () =>
  killAllAndRestart('lossy', 'semi-sync'));
