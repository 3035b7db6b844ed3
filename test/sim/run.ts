/**
 * The simulator's command line. Many seeds run in as many processes as there are processors. The first
 * that fails is made smaller, which is told as a command that replays what is left.
 */
import { toolOptions } from '../support/tool-options.ts';
import { clusterGoals } from './cluster/goals.ts';
import { nothingLeftOut, type ReduciblePart, reducibleParts } from './cluster/reduction.ts';
import { runRange, workersFor } from './seed-pool.ts';
import { replayCommand, runSeed, type SeedRun } from './seed-run.ts';
import { serveSeeds } from './seed-worker.ts';
import { expectedSituations } from './seeds.ts';
import { shrink } from './shrink.ts';
import type { RunResult } from './world.ts';

const usage = `Simulated clusters on virtual time; the same seed is the same run.

  npm run sim -- --seed 42                   one cluster, with its story
  npm run sim -- --seeds 1..2000             many, and what they reached
  npm run sim -- --minutes 10 --seed 5000    as many as fit, from a first one

  --of cluster|quorum     whole clusters (cluster), or a quorum of controllers alone
  --over-budget           more disks are lost than the promises cover: partitions have to wait, and say so
  --without RULE          breaks one rule of the product, as listed by npm run mutants
  --faults 1,2,3 | none   only these faults of the seed
  --leave-out PART,...    without ${reducibleParts.join(', ')}
  --workers N             processes; as many as processors
  --lines N               of the story, at its end (400)

Exit code 1: a checker was violated, or from 300 seeds on a state was never reached.`;

const { values } = toolOptions(usage, {
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    minutes: { type: 'string' },
    of: { type: 'string', default: 'cluster' },
    without: { type: 'string' },
    'over-budget': { type: 'boolean', default: false },
    faults: { type: 'string' },
    'leave-out': { type: 'string' },
    workers: { type: 'string' },
    worker: { type: 'boolean', default: false },
    lines: { type: 'string', default: '400' },
  },
});

/** So many seeds have to reach every goal; fewer need not. */
const seedsForGoals = 300;
/** Failures after which a range ends. */
const failuresMax = 10;

if (values.worker) serveSeeds();
else await main();

async function main(): Promise<void> {
  const run = seedRun();
  const [from, to] = seeds();
  const started = process.hrtime.bigint();
  const seconds = (): number => Number(process.hrtime.bigint() - started) / 1e9;
  const secondsMax = Number(values.minutes ?? 'Infinity') * 60;
  const range = { from, to, goesOn: () => seconds() < secondsMax };
  const workers = values.workers === undefined ? workersFor(range) : Number(values.workers);
  const failed: RunResult[] = [];
  const sum = { seeds: 0, events: 0, virtualMs: 0, acknowledged: 0, cpuMs: 0 };
  const reached = new Map<string, number>();
  for await (const result of runRange(run, range, workers)) {
    sum.seeds++;
    sum.events += result.events;
    sum.virtualMs += result.virtualMs;
    sum.acknowledged += result.acknowledged;
    sum.cpuMs += result.cpuMs;
    for (const [what, count] of result.reached) reached.set(what, (reached.get(what) ?? 0) + count);
    if (from === to) tell(run, result);
    else if (result.violation !== undefined) tellFailure(run, result);
    if (result.violation !== undefined && failed.push(result) === failuresMax) break;
  }
  const pace = (sum.virtualMs / sum.cpuMs).toFixed(1);
  const outcome = failed.length === 0 ? 'all hold' : `${failed.length} FAILED`;
  console.log(`seeds ${from}..${from + sum.seeds - 1}: ${outcome}, ${sum.events} events`);
  console.log(
    `${seconds().toFixed(1)} s with ${workers} processes, acknowledged ${sum.acknowledged}`,
  );
  console.log(`${pace} simulated seconds in each second of processor time`);
  for (const [what, count] of [...reached].sort(([a], [b]) => (a < b ? -1 : 1)))
    console.log(`  ${count}\t${what}`);
  if (failed.length > 0) process.exitCode = 1;
  if (sum.seeds >= seedsForGoals && !run.isOverBudget) tellUnreached(reached);
  if (failed[0] !== undefined) await tellSmaller(run, failed[0]);
}

function tell(run: SeedRun, result: RunResult): void {
  for (const line of result.tail.slice(-Number(values.lines))) console.log(line);
  console.log(`seed ${result.seed} ${JSON.stringify(result.swarm)}`);
  console.log(`events ${result.events}, virtual ms ${result.virtualMs}, trace ${result.stamp}`);
  console.log(`acknowledged ${result.acknowledged}`);
  if (result.violation !== undefined) tellFailure(run, result);
}

function tellFailure(run: SeedRun, result: RunResult): void {
  console.log(`FAILED seed ${result.seed}: ${result.violation}`);
  console.log(`replay with: ${replayCommand(run, result.seed)}`);
}

/** What of a failing run is needed for the failure. */
async function tellSmaller(run: SeedRun, failed: RunResult): Promise<void> {
  const isWhole = run.reduction.faults === undefined && run.reduction.leftOut.length === 0;
  if (run.of !== 'cluster' || !isWhole) return;
  const invariantOf = (violation: string | undefined) => violation?.split(':', 1)[0];
  const smaller = await shrink(failed.reached.get('fault') ?? 0, async (reduction) => {
    const { violation } = await runSeed({ ...run, reduction }, failed.seed);
    return violation !== undefined && invariantOf(violation) === invariantOf(failed.violation);
  });
  console.log(`smaller: ${replayCommand({ ...run, reduction: smaller }, failed.seed)}`);
}

/** What no seed came to is red: nothing is known about it. */
function tellUnreached(reached: ReadonlyMap<string, number>): void {
  const goals = values.of === 'quorum' ? expectedSituations : clusterGoals;
  const missing = goals.filter((goal) => !reached.has(goal));
  if (missing.length === 0) return;
  console.log(`NEVER REACHED ${missing.join(', ')}`);
  process.exitCode = 1;
}

function seedRun(): SeedRun {
  const { of, without, faults } = values;
  if (of !== 'cluster' && of !== 'quorum') throw new Error(`no simulator ${of}`);
  const numbers = faults === 'none' ? [] : faults?.split(',').map(Number);
  return {
    of,
    without,
    isOverBudget: values['over-budget'],
    reduction: { ...nothingLeftOut, faults: numbers, leftOut: leftOut() },
  };
}

function leftOut(): readonly ReduciblePart[] {
  const names = values['leave-out']?.split(',') ?? [];
  return names.map((name) => {
    const part = reducibleParts.find((one) => one === name);
    if (part === undefined) throw new Error(`no part ${name}; one of ${reducibleParts.join(', ')}`);
    return part;
  });
}

function seeds(): readonly [number, number] {
  const text = values.seeds ?? values.seed ?? '1';
  const [from, to] = text.split('..').map(Number);
  if (from === undefined || !Number.isSafeInteger(from)) throw new Error(`no seed: ${text}`);
  return [from, to ?? (values.minutes === undefined ? from : Number.MAX_SAFE_INTEGER)];
}
