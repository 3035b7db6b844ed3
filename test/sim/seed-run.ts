/**
 * How one seed is run: by a simulator, perhaps with a rule broken, beyond the budget of the promises, or
 * with parts left out. It is plain data, so that it can be sent to another process.
 */
import { everyRule, type Rules } from '../../controller/raft/core/rules.ts';
import { brokenNodeRules } from './cluster/broken-rules.ts';
import type { Reduction } from './cluster/reduction.ts';
import { simulateCluster } from './cluster/simulate-cluster.ts';
import { simulate } from './simulate.ts';
import type { RunResult } from './world.ts';

export interface SeedRun {
  readonly of: 'cluster' | 'quorum';
  /** The rule that is broken, by its name. */
  readonly without: string | undefined;
  /** More disks are lost than the promises cover. */
  readonly isOverBudget: boolean;
  readonly reduction: Reduction;
}

/** Runs a seed. */
export function runSeed(run: SeedRun, seed: number): Promise<RunResult> {
  const { without, isOverBudget, reduction } = run;
  if (run.of === 'quorum') return simulate(seed, brokenRules(without));
  const rules = without === undefined ? undefined : brokenNodeRules(without);
  return simulateCluster(seed, { rules, isOverBudget, reduction });
}

/** The command that runs the seed again, in the same way. */
export function replayCommand(
  { of, without, isOverBudget, reduction }: SeedRun,
  seed: number,
): string {
  const words = ['npm run sim --', `--of ${of}`, `--seed ${seed}`];
  if (without !== undefined) words.push(`--without ${without}`);
  if (isOverBudget) words.push('--over-budget');
  if (reduction.faults !== undefined)
    words.push(`--faults ${reduction.faults.join(',') || 'none'}`);
  if (reduction.leftOut.length > 0) words.push(`--leave-out ${reduction.leftOut.join(',')}`);
  return words.join(' ');
}

/** The rules of the quorum with one of them broken, by its name. */
function brokenRules(name: string | undefined): Rules {
  if (name === undefined) return everyRule;
  if (!Object.hasOwn(everyRule, name))
    throw new Error(`no rule ${name}; one of ${Object.keys(everyRule).join(', ')}`);
  return { ...everyRule, [name]: false };
}
