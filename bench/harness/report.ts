/** The two forms of the output: one JSON object for programs, a table for people. */
import { type Bench, type BenchOutcome, type Goal, isGoalMet, type Parity } from './bench.ts';
import type { LatencyBucket } from './latency-buckets.ts';
import type { MachineFacts } from './machine.ts';
import { workerFlags } from './worker.ts';

/** The object that `--json` prints. */
export interface BenchReport {
  readonly bench: string;
  readonly figures: Readonly<Record<string, number>>;
  readonly parity: Parity;
  readonly samples: Readonly<Record<string, readonly number[]>>;
  /** Bucket `b` begins at 2^(b/16) microseconds; with its count. */
  readonly histograms?: Readonly<Record<string, readonly LatencyBucket[]>>;
  readonly machine: MachineFacts;
  readonly valid: boolean;
  /** Why it is not valid; empty if it is. */
  readonly invalid: readonly string[];
}

/** Joins what was measured with why it may not count. A key without a figure or a reason is invalid. */
export function makeReport(
  bench: Bench,
  outcome: BenchOutcome,
  facts: { readonly machine: MachineFacts; readonly invalid: readonly string[] },
): BenchReport {
  const skipped = outcome.skipped ?? {};
  const missing = bench.goals
    .filter(({ key }) => !Number.isFinite(outcome.figures[key]) && !Object.hasOwn(skipped, key))
    .map(({ key }) => `no figure for ${key}`);
  const invalid = [...facts.invalid, ...missing];
  const skippedLines = Object.entries(skipped).map(([key, reason]) => `${key}: ${reason}`);
  return {
    bench: bench.name,
    figures: mapValues(outcome.figures, rounded),
    parity: {
      ...outcome.parity,
      node_flags: `every Node process that is not a node of a cluster: ${workerFlags.join(' ')}`,
      ...(skippedLines.length > 0 && { skipped: skippedLines }),
    },
    samples: mapValues(outcome.samples, (values) => values.map(rounded)),
    ...(outcome.histograms !== undefined && { histograms: outcome.histograms }),
    machine: facts.machine,
    valid: invalid.length === 0,
    invalid,
  };
}

/** The table: every goal and whether it is met, then the other figures, the parity, the machine. */
export function renderReport(bench: Bench, report: BenchReport): string {
  const goals = bench.goals.map((goal) => goalRow(goal, report));
  const others = Object.entries(report.figures)
    .filter(([key]) => !bench.goals.some((goal) => goal.key === key))
    .map(([key, figure]) => [key, String(figure), '', '', '']);
  const facts = [
    ...Object.entries(report.parity).flatMap(([key, value]) =>
      (typeof value === 'object' ? value : [value]).map((line, at) => [
        at === 0 ? key : '',
        String(line),
      ]),
    ),
    ...Object.entries(report.machine).map(([key, value]) => [key, String(value)]),
  ];
  return [
    table([['figure', 'value', 'goal', 'met', 'meaning'], ...goals, ...others]),
    table(facts),
    report.valid ? 'valid' : `NOT VALID\n${report.invalid.map((line) => `  ${line}`).join('\n')}`,
  ].join('\n\n');
}

function goalRow(goal: Goal, report: BenchReport): string[] {
  const figure = report.figures[goal.key];
  const asked = 'atLeast' in goal.goal ? `>= ${goal.goal.atLeast}` : `<= ${goal.goal.atMost}`;
  if (figure === undefined) return [goal.key, '–', asked, 'skipped', goal.meaning];
  return [goal.key, String(figure), asked, isGoalMet(goal, figure) ? 'yes' : 'NO', goal.meaning];
}

function table(rows: ReadonlyArray<readonly string[]>): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    });
  }
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function rounded(value: number): number {
  return Number(value.toPrecision(5));
}

function mapValues<From, To>(
  values: Readonly<Record<string, From>>,
  convert: (value: From) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, convert(value)]));
}
