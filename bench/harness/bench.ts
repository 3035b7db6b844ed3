/**
 * What a bench is, to the harness: goals, and a run that measures. The harness owns arguments,
 * machine facts, the output and the exit code, so that every bench says the same things alike.
 */

import type { LatencyBucket } from './latency-buckets.ts';

/** A key of the figures with what is asked of it. */
export interface Goal {
  readonly key: string;
  readonly goal: { readonly atLeast: number } | { readonly atMost: number };
  readonly meaning: string;
}

export interface Bench {
  readonly name: string;
  /** One sentence for `--help`. */
  readonly purpose: string;
  readonly goals: readonly Goal[];
  run(context: BenchContext): Promise<BenchOutcome>;
}

/** What a run may use. */
export interface BenchContext {
  /** Fewer samples, same keys. */
  readonly isQuick: boolean;
  /** Tells on standard error what goes on. */
  readonly progress: (text: string) => void;
  /** Makes an empty directory on the disk under test; removed when the bench ends. */
  readonly freshDirectory: (purpose: string) => Promise<string>;
  /** Says why the run is not valid. May be called more than once; the run goes on. */
  readonly invalid: (reason: string) => void;
}

/** Facts that make the figures comparable: versions, acks, flush, sizes, processes. */
export interface Parity {
  readonly [fact: string]: string | number | boolean | readonly string[];
}

export interface BenchOutcome {
  readonly figures: Readonly<Record<string, number>>;
  readonly samples: Readonly<Record<string, readonly number[]>>;
  readonly parity: Parity;
  /** Latencies of all rounds, as they were counted. */
  readonly histograms?: Readonly<Record<string, readonly LatencyBucket[]>>;
  /** Keys of goals that this machine cannot measure, with the reason: a peer is missing. */
  readonly skipped?: Readonly<Record<string, string>>;
}

/** True if the figure is as good as asked. */
export function isGoalMet(goal: Goal, figure: number): boolean {
  return 'atLeast' in goal.goal ? figure >= goal.goal.atLeast : figure <= goal.goal.atMost;
}
