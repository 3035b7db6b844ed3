/** Links between nodes that are cut, one-way or slow. */
import { type FaultScene, othersThan, pause } from './fault.ts';

export async function cut({ cluster, node, lastsMs }: FaultScene): Promise<void> {
  cluster.network.isolate(node, othersThan(cluster, node));
  await pause(lastsMs);
  cluster.network.heal();
}

/** Nobody hears the node. */
export function mute(scene: FaultScene): Promise<void> {
  return oneWay(scene, (node, other) => [node, other]);
}

/** The node hears nobody. */
export function deafen(scene: FaultScene): Promise<void> {
  return oneWay(scene, (node, other) => [other, node]);
}

async function oneWay(
  { cluster, node, lastsMs }: FaultScene,
  direction: (node: number, other: number) => readonly [number, number],
): Promise<void> {
  for (const other of othersThan(cluster, node)) cluster.network.hold(...direction(node, other));
  await pause(lastsMs);
  cluster.network.heal();
}

/** Two nodes that do not see each other, and others that see both. */
export async function bridge({ cluster, node, lastsMs }: FaultScene): Promise<void> {
  const [first = 1, second = 2] = othersThan(cluster, node);
  cluster.network.hold(first, second);
  cluster.network.hold(second, first);
  await pause(lastsMs);
  cluster.network.heal();
}

export async function slowLinks({ cluster, node, lastsMs }: FaultScene): Promise<void> {
  for (const other of othersThan(cluster, node)) cluster.network.slow(other, node, 20_000);
  await pause(lastsMs);
  cluster.network.heal();
}
