/** The mutants' command line. Fails on a mutant that nothing kills, and on a seed that fails with every rule in place. */
import { toolOptions } from '../support/tool-options.ts';
import { type Harness, harnesses } from './harnesses.ts';
import { type Kill, readKills, recordKill } from './kills.ts';
import { type Mutant, mutants, nameOf } from './mutants.ts';

const usage = `Rules of the product, broken one at a time: a checker has to notice each.

  npm run mutants                              replays every recorded kill and prints the table
  npm run mutants -- --search                  looks for seeds for what has none
  npm run mutants -- --search replica.promiseStops --in 'cluster simulator' --seeds 200

  --in HARNESS   one of ${harnesses.map(({ name }) => name).join(', ')}
  --from N       first seed of the search (1)
  --seeds N      how many it tries`;

const { values, positionals } = toolOptions(usage, {
  allowPositionals: true,
  options: {
    search: { type: 'boolean', default: false },
    in: { type: 'string' },
    seeds: { type: 'string' },
    from: { type: 'string', default: '1' },
  },
});

if (values.search) await search();
else await replayAll();

async function replayAll(): Promise<void> {
  const began = process.hrtime.bigint();
  const kills = readKills();
  const healthy = new Map<string, string | undefined>();
  let failures = 0;
  const rows: string[][] = [];
  for (const mutant of mutants) {
    const own = kills.filter((kill) => kill.mutant === nameOf(mutant));
    if (own.length === 0) rows.push(rowOf(mutant, undefined, 'NOT KILLED'));
    if (own.length === 0) failures++;
    for (const kill of own) {
      const verdict = await replayOne(mutant, kill, healthy);
      if (verdict.isFailure) failures++;
      rows.push(rowOf(mutant, kill, verdict.text));
    }
  }
  print([['rule', 'mutant', 'what it breaks', 'harness', 'seed', 'tried', 'killed by'], ...rows]);
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  const models = mutants.filter(({ model }) => model !== undefined).length;
  console.log(
    `${mutants.length} mutants, ${models} of them of the design's model, ${kills.length} kills, ` +
      `${failures} failures, ${seconds.toFixed(1)} s`,
  );
  if (failures > 0) process.exitCode = 1;
}

/** The seed has to break something without the rule, and nothing with it. */
async function replayOne(
  mutant: Mutant,
  { harness: name, seed }: Kill,
  healthy: Map<string, string | undefined>,
): Promise<{ readonly isFailure: boolean; readonly text: string }> {
  const harness = harnesses.find((one) => one.name === name);
  if (harness === undefined) return { isFailure: true, text: `NO SUCH HARNESS` };
  const key = `${name} ${seed}`;
  if (!healthy.has(key)) healthy.set(key, await harness.run(undefined, seed));
  const fault = healthy.get(key);
  if (fault !== undefined) return { isFailure: true, text: `FAILS WITH EVERY RULE: ${fault}` };
  const found = await harness.run(mutant, seed);
  if (found === undefined) return { isFailure: true, text: 'SURVIVES' };
  return { isFailure: false, text: checkerOf(found) };
}

async function search(): Promise<void> {
  const known = new Set(readKills().map(({ mutant }) => mutant));
  const wanted = mutants.filter((mutant) =>
    positionals.length === 0 ? !known.has(nameOf(mutant)) : positionals.includes(nameOf(mutant)),
  );
  for (const mutant of wanted) {
    const usable = harnesses.filter(
      ({ name, cores }) =>
        cores.includes(mutant.core) && (values.in === undefined || name === values.in),
    );
    let isKilled = false;
    for (const harness of usable) {
      isKilled = await searchIn(mutant, harness);
      if (isKilled) break;
    }
    if (!isKilled) process.exitCode = 1;
  }
}

async function searchIn(mutant: Mutant, harness: Harness): Promise<boolean> {
  const from = Number(values.from);
  const most = Math.min(harness.seedsMax, Number(values.seeds ?? 'Infinity'));
  for (let tried = 1; tried <= most; tried++) {
    const seed = from + tried - 1;
    const found = await harness.run(mutant, seed);
    if (found === undefined || (await harness.run(undefined, seed)) !== undefined) continue;
    recordKill({ mutant: nameOf(mutant), harness: harness.name, seed, tried });
    console.log(`${nameOf(mutant)}: ${harness.name}, seed ${seed}, ${tried} tried: ${found}`);
    return true;
  }
  console.log(`${nameOf(mutant)}: ${harness.name}, ${most} tried, not killed`);
  return false;
}

/** The invariant's name: what stands before the colon, or the number of the invariant or of the rule. */
function checkerOf(found: string): string {
  const line = found.split('\n')[0] ?? '';
  return /^[SB][\d.]+(?=[ ,:])/.exec(line)?.[0] ?? line.split(':')[0]?.slice(0, 40) ?? '';
}

function rowOf(mutant: Mutant, kill: Kill | undefined, killedBy: string): string[] {
  const { rule, breaks, model } = mutant;
  const what = model === undefined ? breaks : `${breaks} (${model})`;
  const { harness = '', seed = '', tried = '' } = kill ?? {};
  return [rule, nameOf(mutant), what, harness, String(seed), String(tried), killedBy];
}

function print(rows: readonly (readonly string[])[]): void {
  const widths = rows[0]?.map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  for (const row of rows)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths?.[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
}
