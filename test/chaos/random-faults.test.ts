/**
 * Goal: no acknowledged record is lost, doubled or displaced, whatever happens to which node.
 * Method: real processes under load, with faults drawn from a seed: kills, pauses, cuts of both or of
 * one direction, orderly restarts, and the death of all at once. `SEED=n FAULTS=n` repeats or prolongs it.
 */
import { test } from 'vitest';
import type { Acks } from '../../client/index.ts';
import { SeededRandom } from '../../proto/ports/memory/seeded-random.ts';
import { leaderWithIsr } from '../support/cluster-view.ts';
import { expectKept } from '../support/expect-kept.ts';
import type { ProcessCluster } from '../support/process-cluster.ts';
import { SteadyWriter } from '../support/steady-writer.ts';
import { withCluster } from '../support/with-cluster.ts';

const seed = process.env['SEED'] ?? '1';
const faults = Number(process.env['FAULTS'] ?? 10);

type Fault = (cluster: ProcessCluster, node: number, lastsMs: number) => Promise<void>;

const kinds: Readonly<Record<string, Fault>> = {
  async kill(cluster, node, lastsMs) {
    await cluster.node(node).kill('SIGKILL');
    cluster.network.drop(node);
    await pause(lastsMs);
    cluster.node(node).start();
  },
  async restart(cluster, node) {
    await cluster.node(node).kill('SIGTERM');
    cluster.node(node).start();
  },
  async hang(cluster, node, lastsMs) {
    cluster.node(node).pause();
    await pause(lastsMs);
    cluster.node(node).resume();
  },
  async cut(cluster, node, lastsMs) {
    cluster.network.isolate(node, othersThan(node));
    await pause(lastsMs);
    cluster.network.heal();
  },
  async mute(cluster, node, lastsMs) {
    for (const other of othersThan(node)) cluster.network.hold(node, other);
    await pause(lastsMs);
    cluster.network.heal();
  },
  async deafen(cluster, node, lastsMs) {
    for (const other of othersThan(node)) cluster.network.hold(other, node);
    await pause(lastsMs);
    cluster.network.heal();
  },
  async killAll(cluster, _node, lastsMs) {
    await Promise.all(cluster.nodes.map((node) => node.kill('SIGKILL')));
    for (const node of cluster.nodes) {
      node.start();
      await pause(lastsMs / 10);
    }
  },
};

test.each(['all', 'semi-sync'] as const)(
  `random faults lose nothing acknowledged at %s (seed ${seed})`,
  (acks: Acks) =>
    withCluster({ hasProxies: true, disk: 'lossy' }, async ({ cluster, client, place }) => {
      const random = new SeededRandom(`${seed}-${acks}`);
      const writer = new SteadyWriter(client, { topic: place.topic, acks });
      const story: string[] = [];
      try {
        for (let round = 0; round < faults; round++) {
          await writer.acknowledges(50, 60_000);
          const names = Object.keys(kinds);
          const name = names[random.below(names.length)] ?? 'kill';
          const node = random.below(3) + 1;
          const lastsMs = random.below(3_000);
          story.push(`${name} ${node} ${lastsMs} ms`);
          await kinds[name]?.(cluster, node, lastsMs);
          // Half of the time the next fault meets a cluster that is not whole yet.
          if (random.below(2) === 0) await leaderWithIsr(client, place, 3);
        }
        await leaderWithIsr(client, place, 3);
        await writer.acknowledges(50);
        await writer.stop();
        await expectKept(client, place, { history: writer.history, replicas: [1, 2, 3] });
      } catch (error) {
        process.stderr.write(`seed ${seed}, ${acks}: ${story.join(', ')}\n`);
        throw error;
      }
    }),
);

function othersThan(id: number): number[] {
  return [1, 2, 3].filter((other) => other !== id);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
