/** Disks that are slow, full or failing for a while. What was flushed stays. */
import { type DiskOperation, type DiskTrouble, setTrouble, takeHits } from '../disk/trouble.ts';
import { type FaultScene, oneOf, pause } from './fault.ts';

const operations: readonly DiskOperation[] = ['read', 'write', 'sync', 'commit'];
/** A node that ends has this long for it. */
const endMs = 1_000;

export async function slowDisk(scene: FaultScene): Promise<void> {
  const slowMs = oneOf(scene.random, [20, 200, 2_000]);
  await trouble(scene, { slowMs });
}

/**
 * No space: refused in good order, and there is space again afterwards. A node that just starts may have
 * needed room for what its journal keeps; it ends, and is started when there is room.
 */
export async function fullDisk(scene: FaultScene): Promise<void> {
  const { cluster, tally } = scene;
  const node = cluster.node(scene.node);
  const wasReady = await node.ready(0).then(
    () => true,
    () => false,
  );
  await trouble(scene, { isFull: true });
  if (node.isRunning) return;
  if (wasReady) throw new Error(`node ${node.id} ended of a full disk`);
  tally.endedByDisk++;
  node.start();
}

/** EIO. A node that cannot trust its disk any more ends; it is started on a disk that works again. */
export async function failingDisk(scene: FaultScene): Promise<void> {
  const { cluster, tally } = scene;
  const node = cluster.node(scene.node);
  await trouble(scene, { failing: [oneOf(scene.random, operations)] });
  const hasEnded = await Promise.race([
    node.ended.then(() => true),
    pause(endMs).then(() => !node.isRunning),
  ]);
  if (!hasEnded) return;
  tally.endedByDisk++;
  cluster.network.drop(node.id);
  node.start();
}

async function trouble(
  { cluster, node, lastsMs, tally }: FaultScene,
  what: Partial<DiskTrouble>,
): Promise<void> {
  const { data } = cluster.node(node);
  setTrouble(data, what);
  await pause(lastsMs);
  setTrouble(data, {});
  tally.diskOperationsHit += takeHits(data);
}
