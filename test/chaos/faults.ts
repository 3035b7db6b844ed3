/** What may happen to a cluster. Each fault is over when it resolves, but for what must heal by itself. */
import { readdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../../broker/main/fleet/cluster-view.ts';
import type { ProcessCluster } from '../../broker/main/fleet/process-cluster.ts';
import type { Client } from '../../client/index.ts';
import type { SeededRandom } from '../../proto/ports/memory/seeded-random.ts';

export interface FaultScene {
  readonly cluster: ProcessCluster;
  readonly client: Client;
  readonly random: SeededRandom;
  /** The node that it happens to. */
  readonly node: number;
  readonly lastsMs: number;
}

export interface Fault {
  /** It takes away a node's storage: it may only meet a cluster that is whole, and is waited for. */
  readonly needsWhole?: boolean;
  readonly run: (scene: FaultScene) => Promise<void>;
}

/** Every kind of fault by its name. */
export const faults: Readonly<Record<string, Fault>> = {
  kill: { run: kill },
  restart: { run: restart },
  'restart-loop': { run: restartLoop },
  hang: { run: hang },
  cut: { run: cut },
  mute: { run: (scene) => oneWay(scene, (node, other) => [node, other]) },
  deafen: { run: (scene) => oneWay(scene, (node, other) => [other, node]) },
  bridge: { run: bridge },
  slow: { run: slow },
  'kill-all': { run: killAll },
  'rolling-restart': { needsWhole: true, run: rollingRestart },
  tear: { needsWhole: true, run: tear },
};

async function kill({ cluster, node, lastsMs }: FaultScene): Promise<void> {
  await cluster.node(node).kill('SIGKILL');
  cluster.network.drop(node);
  await pause(lastsMs);
  cluster.node(node).start();
}

async function restart({ cluster, node }: FaultScene): Promise<void> {
  await cluster.node(node).kill('SIGTERM');
  cluster.node(node).start();
}

/** Killed again before it has come up. */
async function restartLoop(scene: FaultScene): Promise<void> {
  for (let time = 0; time < 3; time++)
    await kill({ ...scene, lastsMs: scene.random.below(400) + 100 });
}

async function hang({ cluster, node, lastsMs }: FaultScene): Promise<void> {
  cluster.node(node).pause();
  await pause(lastsMs);
  cluster.node(node).resume();
}

async function cut({ cluster, node, lastsMs }: FaultScene): Promise<void> {
  cluster.network.isolate(node, othersThan(cluster, node));
  await pause(lastsMs);
  cluster.network.heal();
}

async function oneWay(
  { cluster, node, lastsMs }: FaultScene,
  direction: (node: number, other: number) => readonly [number, number],
): Promise<void> {
  for (const other of othersThan(cluster, node)) cluster.network.hold(...direction(node, other));
  await pause(lastsMs);
  cluster.network.heal();
}

/** Two nodes that do not see each other, and a third one that sees both. */
async function bridge({ cluster, node, lastsMs }: FaultScene): Promise<void> {
  const [first = 1, second = 2] = othersThan(cluster, node);
  cluster.network.hold(first, second);
  cluster.network.hold(second, first);
  await pause(lastsMs);
  cluster.network.heal();
}

async function slow({ cluster, node, lastsMs }: FaultScene): Promise<void> {
  for (const other of othersThan(cluster, node)) cluster.network.slow(other, node, 20_000);
  await pause(lastsMs);
  cluster.network.heal();
}

async function killAll({ cluster, lastsMs }: FaultScene): Promise<void> {
  await Promise.all(cluster.nodes.map((node) => node.kill('SIGKILL')));
  for (const node of cluster.nodes) {
    node.start();
    await pause(lastsMs / 10);
  }
}

async function rollingRestart({ cluster, client }: FaultScene): Promise<void> {
  for (const node of cluster.nodes) {
    await node.kill('SIGTERM');
    node.start();
    await whole(client, cluster.nodes.length);
  }
}

/** A killed node comes back without the last bytes of its logs: its disk lied about them. */
async function tear({ cluster, node, random }: FaultScene): Promise<void> {
  await cluster.node(node).kill('SIGKILL');
  const logs = join(cluster.node(node).data, 'logs');
  for (const log of readdirSync(logs)) {
    const last = readdirSync(join(logs, log))
      .filter((name) => name.endsWith('.log'))
      .sort()
      .at(-1);
    if (last === undefined) continue;
    const path = join(logs, log, last);
    truncateSync(path, Math.max(0, statSync(path).size - random.below(2_000)));
  }
  cluster.node(node).start();
}

/** Resolves once every partition has a leader and all its replicas are in sync. */
export async function whole(client: Client, replicas: number): Promise<void> {
  await until(
    async () => {
      const topics = await client.admin.listTopics({ timeoutMs: 2_000 });
      return Promise.all(
        topics.map(({ name }) => client.admin.describeTopic(name, { timeoutMs: 2_000 })),
      );
    },
    (topics) =>
      topics.every(({ partitions }) =>
        partitions.every(({ leader, isr }) => leader !== undefined && isr.length === replicas),
      ),
    'every partition led and all replicas in sync',
    60_000,
  );
}

function othersThan(cluster: ProcessCluster, id: number): number[] {
  return cluster.nodes.map((node) => node.id).filter((other) => other !== id);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
