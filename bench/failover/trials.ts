/** One fault each: the cluster is whole before and after, and the longest gap in between is returned. */
import type { Client } from '../../client/index.ts';
import {
  leaderWithIsr,
  type PartitionPlace,
  partitionInfo,
  until,
} from '../../test/support/cluster-view.ts';
import type { ProcessCluster, ProcessNode } from '../../test/support/process-cluster.ts';
import type { SteadyWriter } from '../../test/support/steady-writer.ts';

export interface Scene {
  readonly cluster: ProcessCluster;
  readonly client: Client;
  readonly writer: SteadyWriter;
  readonly progress: (text: string) => void;
}

export const place: PartitionPlace = { topic: 'failover', partition: 0 };

/** Kills the leader's process, if asked for the one that is also the active controller. */
export async function killTrial(scene: Scene, isController: boolean): Promise<number> {
  if (isController) await moveTo(scene, await activeController(scene));
  const node = await steadyLeader(scene);
  const gap = await gapOver(scene, async () => {
    await node.kill('SIGKILL');
    await scene.writer.acknowledges(100);
  });
  node.start();
  return told(scene, isController ? 'kill, active controller' : 'kill', gap);
}

/** Stops the leader's process as if it hung; it goes on once another one leads. */
export async function pauseTrial(scene: Scene): Promise<number> {
  const node = await steadyLeader(scene);
  const gap = await gapOver(scene, async () => {
    node.pause();
    // What was on its way is acknowledged before the gap begins.
    await new Promise((resolve) => setTimeout(resolve, 100));
    await scene.writer.acknowledges(100);
  });
  node.resume();
  return told(scene, 'pause', gap);
}

/** Moves the lead to the next node while everything is well. */
export async function handOverTrial(scene: Scene): Promise<number> {
  const node = await steadyLeader(scene);
  const gap = await gapOver(scene, async () => {
    await moveTo(scene, (node.id % 3) + 1);
    await scene.writer.acknowledges(50);
  });
  return told(scene, 'hand-over', gap);
}

/** Restarts every node in order, each one once the one before is back in sync. */
export async function restartAll(scene: Scene): Promise<number> {
  await steadyLeader(scene);
  const gap = await gapOver(scene, async () => {
    for (const node of scene.cluster.nodes) {
      await node.kill('SIGTERM');
      node.start();
      await node.ready();
      await leaderWithIsr(scene.client, place, 3);
    }
    await scene.writer.acknowledges(50);
  });
  return told(scene, 'rolling restart', gap);
}

async function gapOver({ writer }: Scene, fault: () => Promise<void>): Promise<number> {
  writer.takeLongestGapMs();
  await fault();
  return writer.takeLongestGapMs();
}

/** The leader of a whole cluster that acknowledges steadily. */
async function steadyLeader({ cluster, client, writer }: Scene): Promise<ProcessNode> {
  await Promise.all(cluster.nodes.map((node) => node.ready()));
  const leader = await leaderWithIsr(client, place, 3);
  await writer.acknowledges(200);
  return cluster.node(leader);
}

async function moveTo({ client }: Scene, node: number): Promise<void> {
  await leaderWithIsr(client, place, 3);
  if ((await partitionInfo(client, place)).leader === node) return;
  await client.admin.elect(place, { leader: node });
  await until(
    () => partitionInfo(client, place),
    ({ leader }) => leader === node,
    `node ${node} leads`,
  );
}

async function activeController({ client }: Scene): Promise<number> {
  const { controller } = await until(
    () => client.admin.describeCluster({ timeoutMs: 1_000 }),
    (cluster) => cluster.controller !== undefined,
    'an active controller',
  );
  return controller ?? 0;
}

function told({ progress }: Scene, what: string, gap: number): number {
  progress(`${what}: ${gap.toFixed(0)} ms`);
  return gap;
}
