/**
 * The simulator's command line.
 *
 *     npm run sim -- --seed 42           one seed, with its story
 *     npm run sim -- --seeds 1..5000     many, and what they reached
 */
import { parseArgs } from 'node:util';
import { everyRule, type Rules } from '../../controller/raft/core/rules.ts';
import { type SimulationResult, simulate } from './simulate.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    without: { type: 'string' },
    lines: { type: 'string', default: '400' },
  },
});

await main();

async function main(): Promise<void> {
  const rules = brokenRules(values.without);
  const [from, to] = range();
  const started = process.hrtime.bigint();
  const reached = new Map<string, number>();
  let events = 0;
  let acknowledged = 0;
  for (let seed = from; seed <= to; seed++) {
    const result = await simulate(seed, rules);
    events += result.events;
    acknowledged += result.acknowledged;
    for (const [what, count] of result.reached) reached.set(what, (reached.get(what) ?? 0) + count);
    if (from === to || result.violation !== undefined) tell(result);
    if (result.violation !== undefined) {
      process.exitCode = 1;
      return;
    }
  }
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  console.log(`seeds ${from}..${to}: all hold, ${events} events, ${seconds.toFixed(1)} s`);
  console.log(`acknowledged ${acknowledged} changes`);
  for (const [what, count] of [...reached].sort(([a], [b]) => (a < b ? -1 : 1)))
    console.log(`  ${count}\t${what}`);
}

function tell(result: SimulationResult): void {
  for (const line of result.tail.slice(-Number(values.lines))) console.log(line);
  console.log(`seed ${result.seed} ${JSON.stringify(result.swarm)}`);
  console.log(`events ${result.events}, virtual ms ${result.virtualMs}, trace ${result.stamp}`);
  console.log(`acknowledged ${result.acknowledged}, reads ${result.reads}`);
  if (result.violation === undefined) return;
  console.log(`FAILED ${result.violation}`);
  console.log(`replay with: npm run sim -- --seed ${result.seed}`);
}

function range(): readonly [number, number] {
  const text = values.seeds ?? values.seed ?? '1';
  const [from, to] = text.split('..').map(Number);
  if (from === undefined || !Number.isSafeInteger(from)) throw new Error(`no seed: ${text}`);
  return [from, to ?? from];
}

/** The rules with one of them broken, by its name. */
function brokenRules(name: string | undefined): Rules {
  if (name === undefined) return everyRule;
  if (!Object.hasOwn(everyRule, name)) {
    throw new Error(`no rule ${name}; one of ${Object.keys(everyRule).join(', ')}`);
  }
  return { ...everyRule, [name]: false };
}
