/** One fault after the other until the time is over; half of the time on a cluster that is not whole yet. */
import type { ProcessCluster } from '../../broker/main/fleet/process-cluster.ts';
import type { Client } from '../../client/index.ts';
import type { SeededRandom } from '../../proto/ports/memory/seeded-random.ts';
import { setTrouble } from './disk/trouble.ts';
import { oneOf, type Tally } from './faults/fault.ts';
import { faults, swarmOf } from './faults/table.ts';
import { whole } from './faults/whole.ts';

export interface StrikeOptions {
  readonly cluster: ProcessCluster;
  readonly client: Client;
  readonly random: SeededRandom;
  readonly minutes: number;
  readonly tell: (line: string) => void;
  /** Only these kinds of faults; the choice of the seed if absent. */
  readonly only: readonly string[] | undefined;
}

export interface StrikeReport {
  /** How often each kind of fault happened. */
  readonly fired: ReadonlyMap<string, number>;
  readonly tally: Tally;
  /** The fault that the cluster did not come out of as it has to; no other one followed. */
  readonly stuckAt: string | undefined;
}

const faultMsMax = 3_000;

export async function strike(options: StrikeOptions): Promise<StrikeReport> {
  const { client, cluster, random, tell } = options;
  const fired = new Map<string, number>();
  const tally: Tally = { kills: 0, endedByDisk: 0, diskOperationsHit: 0, filesSpoiled: 0 };
  const bag = options.only ?? swarmOf(random.fork('swarm'));
  tell(`drawn from: ${[...new Set(bag)].join(', ')}`);
  const end = performance.now() + options.minutes * 60_000;
  while (performance.now() < end) {
    const name = oneOf(random, bag);
    const fault = faults[name];
    if (fault === undefined) throw new Error(`there is no fault ${name}`);
    const scene = {
      ...{ cluster, client, tally },
      // What a fault draws depends on its place in the run alone.
      random: random.fork(`${name} ${[...fired.values()].reduce((sum, count) => sum + count, 0)}`),
      node: random.below(cluster.nodes.length) + 1,
      lastsMs: random.below(faultMsMax),
    };
    const isWaitedFor = random.below(2) === 0 || fault.needsWhole === true;
    const what = `${name}, node ${scene.node}, ${scene.lastsMs} ms`;
    tell(what);
    try {
      if (fault.needsWhole === true) await whole(client);
      await fault.run(scene);
      if (isWaitedFor) await whole(client);
    } catch (caught) {
      const stuckAt = `${what}: ${String(caught)}`;
      tell(stuckAt);
      return { fired, tally, stuckAt };
    }
    fired.set(name, (fired.get(name) ?? 0) + 1);
  }
  return { fired, tally, stuckAt: undefined };
}

/** Nothing is wrong any more, and every process runs. */
export function heal(cluster: ProcessCluster): void {
  cluster.network.heal();
  for (const node of cluster.nodes) {
    setTrouble(node.data, {});
    if (node.isRunning) node.resume();
    else node.start();
  }
}
