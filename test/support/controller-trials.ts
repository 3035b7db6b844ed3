/** One change of the active controller each; the longest gap of any writer over it is returned. */
import type { Client } from '../../client/index.ts';
import { until } from './cluster-view.ts';
import type { MetadataWriter } from './metadata-writer.ts';
import type { ProcessCluster } from './process-cluster.ts';

export interface ControllerScene {
  readonly cluster: ProcessCluster;
  readonly client: Client;
  readonly writers: readonly MetadataWriter[];
  readonly progress: (text: string) => void;
}

/** The process of the active controller is killed, and started again once another one is active. */
export async function killTrial(scene: ControllerScene): Promise<number> {
  const active = await steadyController(scene);
  const node = scene.cluster.node(active);
  const gap = await gapOver(scene, () => node.kill('SIGKILL'));
  node.start();
  await node.ready();
  return told(scene, `kill of ${active}`, gap);
}

/** The active controller hands its part to the next voter. */
export async function transferTrial(scene: ControllerScene): Promise<number> {
  const active = await steadyController(scene);
  const { voters } = await scene.client.admin.describeCluster();
  const at = voters.findIndex(({ node }) => node === active);
  const to = voters[(at + 1) % voters.length]?.node ?? 0;
  const gap = await gapOver(scene, async () => {
    await scene.client.admin.transferController(to);
    await activeIs(scene, (controller) => controller === to, `node ${to} is active`);
  });
  return told(scene, `transfer from ${active} to ${to}`, gap);
}

async function gapOver(
  { writers }: ControllerScene,
  change: () => Promise<unknown>,
): Promise<number> {
  for (const writer of writers) writer.takeLongestGapMs();
  await change();
  await Promise.all(writers.map((writer) => writer.acknowledges(10)));
  return Math.max(...writers.map((writer) => writer.takeLongestGapMs()));
}

/** The active controller of a whole quorum that takes changes steadily. */
async function steadyController(scene: ControllerScene): Promise<number> {
  await Promise.all(scene.writers.map((writer) => writer.acknowledges(25)));
  return activeIs(scene, () => true, 'an active controller');
}

async function activeIs(
  { client }: ControllerScene,
  isGood: (controller: number) => boolean,
  what: string,
): Promise<number> {
  const { controller } = await until(
    () => client.admin.describeCluster({ timeoutMs: 1_000 }),
    (cluster) => cluster.controller !== undefined && isGood(cluster.controller),
    what,
  );
  return controller ?? 0;
}

function told({ progress }: ControllerScene, what: string, gap: number): number {
  progress(`${what}: ${gap.toFixed(0)} ms`);
  return gap;
}
