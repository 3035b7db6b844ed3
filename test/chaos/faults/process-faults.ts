/** Processes that die, hang and come back. */
import { type FaultScene, pause } from './fault.ts';
import { whole } from './whole.ts';

/** SIGKILL; on the disk of these nodes that drops what was not flushed. */
export async function killHard({ cluster, tally }: FaultScene, node: number): Promise<void> {
  await cluster.node(node).kill('SIGKILL');
  cluster.network.drop(node);
  tally.kills++;
}

export async function kill(scene: FaultScene): Promise<void> {
  await killHard(scene, scene.node);
  await pause(scene.lastsMs);
  scene.cluster.node(scene.node).start();
}

export async function restart({ cluster, node }: FaultScene): Promise<void> {
  await cluster.node(node).kill('SIGTERM');
  cluster.node(node).start();
}

/** Killed again before it has come up. */
export async function restartLoop(scene: FaultScene): Promise<void> {
  for (let time = 0; time < 3; time++)
    await kill({ ...scene, lastsMs: scene.random.below(400) + 100 });
}

export async function hang({ cluster, node, lastsMs }: FaultScene): Promise<void> {
  cluster.node(node).pause();
  await pause(lastsMs);
  cluster.node(node).resume();
}

export async function killAll(scene: FaultScene): Promise<void> {
  const { cluster, lastsMs } = scene;
  await Promise.all(cluster.nodes.map(({ id }) => killHard(scene, id)));
  for (const node of cluster.nodes) {
    node.start();
    await pause(lastsMs / 10);
  }
}

export async function rollingRestart({ cluster, client }: FaultScene): Promise<void> {
  for (const node of cluster.nodes) {
    await node.kill('SIGTERM');
    node.start();
    await whole(client);
  }
}
