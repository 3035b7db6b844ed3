/**
 * The simulator's command line.
 *
 *     npm run sim -- --seed 42                   one cluster, with its story
 *     npm run sim -- --seeds 1..2000             many, and what they reached
 *     npm run sim -- --minutes 10 --seed 5000    as many as fit, from a first one
 *     npm run sim -- --seeds 1..2000 --without replica.promiseStops
 *     npm run sim -- --of quorum --seed 42       a quorum of controllers alone
 */
import { parseArgs } from 'node:util';
import { everyRule, type Rules } from '../../controller/raft/core/rules.ts';
import { brokenNodeRules } from './cluster/broken-rules.ts';
import { clusterGoals } from './cluster/goals.ts';
import { simulateCluster } from './cluster/simulate-cluster.ts';
import { expectedSituations } from './seeds.ts';
import { type SimulationResult, simulate } from './simulate.ts';
import type { RunResult } from './world.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    minutes: { type: 'string' },
    of: { type: 'string', default: 'cluster' },
    without: { type: 'string' },
    lines: { type: 'string', default: '400' },
  },
});

/** So many seeds have to reach every goal; fewer need not. */
const seedsForGoals = 300;

await main();

async function main(): Promise<void> {
  const simulateSeed = simulator();
  const [from, to] = range();
  const started = process.hrtime.bigint();
  const seconds = (): number => Number(process.hrtime.bigint() - started) / 1e9;
  const secondsMax = Number(values.minutes ?? 'Infinity') * 60;
  const reached = new Map<string, number>();
  let events = 0;
  let virtualMs = 0;
  let acknowledged = 0;
  let seed = from;
  for (; seed <= to && seconds() < secondsMax; seed++) {
    const result = await simulateSeed(seed);
    events += result.events;
    virtualMs += result.virtualMs;
    acknowledged += result.acknowledged;
    for (const [what, count] of result.reached) reached.set(what, (reached.get(what) ?? 0) + count);
    if (from === to || result.violation !== undefined) tell(result);
    if (result.violation !== undefined) {
      process.exitCode = 1;
      return;
    }
  }
  const pace = virtualMs / 1000 / seconds();
  console.log(`seeds ${from}..${seed - 1}: all hold, ${events} events, ${seconds().toFixed(1)} s`);
  console.log(
    `${pace.toFixed(1)} simulated seconds a second, acknowledged ${acknowledged} changes`,
  );
  for (const [what, count] of [...reached].sort(([a], [b]) => (a < b ? -1 : 1)))
    console.log(`  ${count}\t${what}`);
  if (seed - from >= seedsForGoals) tellUnreached(reached);
}

function tell(result: RunResult): void {
  for (const line of result.tail.slice(-Number(values.lines))) console.log(line);
  console.log(`seed ${result.seed} ${JSON.stringify(result.swarm)}`);
  console.log(`events ${result.events}, virtual ms ${result.virtualMs}, trace ${result.stamp}`);
  console.log(`acknowledged ${result.acknowledged}`);
  if (result.violation === undefined) return;
  console.log(`FAILED ${result.violation}`);
  console.log(`replay with: npm run sim -- --of ${values.of} --seed ${result.seed}`);
}

/** What no seed came to is red: nothing is known about it. */
function tellUnreached(reached: ReadonlyMap<string, number>): void {
  const goals = values.of === 'quorum' ? expectedSituations : clusterGoals;
  const missing = goals.filter((goal) => !reached.has(goal));
  if (missing.length === 0) return;
  console.log(`NEVER REACHED ${missing.join(', ')}`);
  process.exitCode = 1;
}

function simulator(): (seed: number) => Promise<RunResult> {
  if (values.of === 'cluster') {
    const broken = values.without === undefined ? undefined : brokenNodeRules(values.without);
    return (seed) => simulateCluster(seed, broken);
  }
  const rules = brokenRules(values.without);
  return (seed): Promise<SimulationResult> => simulate(seed, rules);
}

function range(): readonly [number, number] {
  const text = values.seeds ?? values.seed ?? '1';
  const [from, to] = text.split('..').map(Number);
  if (from === undefined || !Number.isSafeInteger(from)) throw new Error(`no seed: ${text}`);
  return [from, to ?? (values.minutes === undefined ? from : Number.MAX_SAFE_INTEGER)];
}

/** The rules with one of them broken, by its name. */
function brokenRules(name: string | undefined): Rules {
  if (name === undefined) return everyRule;
  if (!Object.hasOwn(everyRule, name)) {
    throw new Error(`no rule ${name}; one of ${Object.keys(everyRule).join(', ')}`);
  }
  return { ...everyRule, [name]: false };
}
