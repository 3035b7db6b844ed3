/** What a fault is, and what it may use. */
import type { ProcessCluster } from '../../../broker/main/fleet/process-cluster.ts';
import type { Client } from '../../../client/index.ts';
import type { SeededRandom } from '../../../proto/ports/memory/seeded-random.ts';

export interface FaultScene {
  readonly cluster: ProcessCluster;
  readonly client: Client;
  readonly random: SeededRandom;
  /** The node that it happens to. */
  readonly node: number;
  readonly lastsMs: number;
  readonly tally: Tally;
}

/** What a run counts, so that a quiet one is not taken for a good one. */
export interface Tally {
  /** Processes that were ended by SIGKILL. */
  kills: number;
  /** Processes that ended because their disk failed. */
  endedByDisk: number;
  /** Operations of disks that met a trouble. */
  diskOperationsHit: number;
  /** Files whose bytes were changed, cut or removed. */
  filesSpoiled: number;
}

export interface Fault {
  /** How often it is drawn, beside the others. */
  readonly weight: number;
  /** It takes away a node's storage: it may only meet a cluster that is whole, and is waited for. */
  readonly needsWhole?: boolean;
  /** Over when it resolves, but for what must heal by itself. */
  readonly run: (scene: FaultScene) => Promise<void>;
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export function othersThan(cluster: ProcessCluster, id: number): number[] {
  return cluster.nodes.map((node) => node.id).filter((other) => other !== id);
}

/** One of them, drawn. */
export function oneOf<Item>(random: SeededRandom, items: readonly Item[]): Item {
  const item = items[random.below(items.length)];
  if (item === undefined) throw new Error('nothing to draw from');
  return item;
}
