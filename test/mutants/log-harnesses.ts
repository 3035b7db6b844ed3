/** Where the rules of logs, disks and stores are broken: walks over a crashing disk in memory. */
import { LogWalk } from '../broker/log/log-walk.ts';
import { walkStore } from '../controller/raft/store-walk.ts';
import { rulesFor } from './core-rules.ts';
import type { Harness } from './harnesses.ts';

export const logHarnesses: readonly Harness[] = [
  logWalkOf('walk of logs', 250),
  {
    name: 'walk of a quorum store',
    cores: ['store'],
    seedsMax: 5_000,
    run: (mutant, seed) =>
      walkStore(seed, rulesFor('store', mutant)).then(() => undefined, firstCause),
  },
];

function logWalkOf(name: string, steps: number): Harness {
  return {
    name,
    cores: ['log'],
    seedsMax: 5_000,
    run: async (mutant, seed) => {
      const walk = new LogWalk(seed, rulesFor('log', mutant));
      try {
        await walk.run(steps);
        return undefined;
      } catch (caught) {
        return firstCause(caught);
      }
    },
  };
}

/** A walk takes nothing for granted: whatever the log throws at it is a breach. */
function firstCause(caught: unknown): string {
  if (!(caught instanceof Error)) return String(caught);
  if (caught.cause !== undefined) return firstCause(caught.cause);
  return caught.message.replace('must hold: ', '');
}
