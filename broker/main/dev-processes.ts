/**
 * A development cluster whose nodes are processes of their own, with the network between them in hand.
 * They end with this process. A node that is killed leaves the others running, and its data where it is.
 */
import { join } from 'node:path';
import { PeerNetwork } from '../../proto/link/node/peer-network.ts';
import { type DevLayout, type DevNode, devSettings } from './dev-layout.ts';
import { ProcessNode } from './fleet/process-node.ts';

export interface DevProcesses {
  readonly nodes: readonly ProcessNode[];
  /** Absent where the nodes reach each other directly. */
  readonly network: PeerNetwork | undefined;
  /** In order; a node that does not end in time is killed. */
  stop(): Promise<void>;
}

const endMsMax = 20_000;

/** Starts every node; each writes its log beside its data. */
export async function startProcesses(layout: DevLayout, directory: string): Promise<DevProcesses> {
  const network = layout.hasProxies ? new PeerNetwork() : undefined;
  try {
    for (const node of layout.nodes)
      await network?.front(node.id, portOf(node.peerFound), portOf(node.peer));
  } catch (caught) {
    await network?.close();
    throw caught;
  }
  const nodes = layout.nodes.map((node) => createNode(layout, node, directory));
  for (const node of nodes) node.start();
  return { nodes, network, stop: () => stopAll(nodes, network) };
}

function createNode(layout: DevLayout, node: DevNode, directory: string): ProcessNode {
  return new ProcessNode({
    id: node.id,
    settings: devSettings(layout, node),
    logPath: join(directory, `node-${node.id}.log`),
  });
}

async function stopAll(
  nodes: readonly ProcessNode[],
  network: PeerNetwork | undefined,
): Promise<void> {
  network?.heal();
  // One that is paused takes no other signal.
  for (const node of nodes) node.resume();
  const late = setTimeout(() => {
    for (const node of nodes) void node.kill('SIGKILL');
  }, endMsMax);
  await Promise.all(nodes.filter((node) => node.isRunning).map((node) => node.kill('SIGTERM')));
  clearTimeout(late);
  await network?.close();
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1));
}
