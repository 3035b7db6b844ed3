/** Runs a range of seeds; the first that fails is told with the command that replays it. */
import { simulate } from './simulate.ts';
import type { RunResult } from './world.ts';

/** What all seeds of a range reached together. */
export async function runSeeds(
  from: number,
  to: number,
  of: { readonly name: string; simulate(seed: number): Promise<RunResult> } = {
    name: 'quorum',
    simulate,
  },
): Promise<ReadonlyMap<string, number>> {
  const reached = new Map<string, number>();
  for (let seed = from; seed <= to; seed++) {
    const result = await of.simulate(seed);
    if (result.violation !== undefined) {
      throw new Error(
        `${result.violation}\nreplay with: npm run sim -- --of ${of.name} --seed ${seed}`,
      );
    }
    for (const [what, count] of result.reached) reached.set(what, (reached.get(what) ?? 0) + count);
  }
  return reached;
}

/** Situations that a few hundred seeds have to come to: without them the run shows little. */
export const expectedSituations = [
  'elected',
  'quorum-campaign transfer',
  'quorum-stepped-down no-majority-heard',
  'quorum-stepped-down higher-term',
  'quorum-stepped-down removed',
  'quorum-log-cut',
  'quorum-snapshot-installed',
  'quorum-healed',
  'quorum-undisturbed',
  'damage-found',
  'add-voter done',
  'remove-voter done',
  'transfer done',
  'propose OUTCOME_UNKNOWN',
  'propose NOT_CONTROLLER',
];
