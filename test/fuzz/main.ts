/** The command line of the fuzz targets. */
import { toolOptions } from '../support/tool-options.ts';
import { FuzzFailure, runFuzz } from './runner.ts';
import { fuzzTargets } from './target.ts';

const usage = `Random, damaged and hostile input for one decoder, or for a running node.

  npm run fuzz -- TARGET [--seconds S] [--seed N] [--runs R]

Targets: ${Object.keys(fuzzTargets).join(', ')};
and network: attackers of all kinds on every port of a node, while a writer writes.`;

/** Far above what any input needs, so that a pause of the machine is no failure. */
const inputMsMax = 1_000;

async function main(): Promise<number> {
  const { values, positionals } = toolOptions(usage, {
    allowPositionals: true,
    options: { seconds: { type: 'string' }, seed: { type: 'string' }, runs: { type: 'string' } },
  });
  const load = fuzzTargets[positionals[0] ?? ''];
  const seed = Number(values.seed ?? Date.now() % 1_000_000_000);
  if (positionals[0] === 'network') return siege({ seed, seconds: Number(values.seconds ?? 60) });
  if (load === undefined) {
    console.error(usage);
    return 2;
  }
  const target = await load();
  const runs = Number(values.runs ?? Number.MAX_SAFE_INTEGER);
  const seconds = Number(values.seconds ?? (values.runs === undefined ? 30 : 86_400));
  const end = performance.now() + seconds * 1000;
  console.log(`${target.name}: seed ${seed}`);
  try {
    const isOver = () => performance.now() > end;
    const tried = await runFuzz(target, { seed, runs, isOver, inputMsMax });
    console.log(`${target.name}: ${tried} inputs, no promise broken`);
    return 0;
  } catch (caught) {
    if (!(caught instanceof FuzzFailure)) throw caught;
    console.error(caught.message);
    return 1;
  }
}

async function siege(options: {
  readonly seed: number;
  readonly seconds: number;
}): Promise<number> {
  const { besiege } = await import('./network/siege.ts');
  console.log(`network: seed ${options.seed}`);
  const { attacks, acknowledged, longestGapMs, bytes, faults } = await besiege(options);
  console.log(`attacks: ${[...attacks].map(([name, count]) => `${name} ${count}`).join(', ')}`);
  const [before, most, after] = [bytes.before, bytes.most, bytes.after].map((count) =>
    (count / 1024 / 1024).toFixed(0),
  );
  console.log(`memory: ${before} MiB at first, at most ${most}, ${after} in the end`);
  console.log(`${acknowledged} records acknowledged, longest pause ${longestGapMs.toFixed(0)} ms`);
  for (const fault of faults) console.error(fault);
  return faults.length === 0 ? 0 : 1;
}

process.exitCode = await main();
