/** The command line of chaos: random faults against real processes. */
import { toolOptions } from '../support/tool-options.ts';
import { type ChaosVerdict, runChaos } from './chaos-run.ts';
import { faults as faultsByName } from './faults/table.ts';

const usage = `Random faults against four real nodes while clients write and read; then every answer is judged.

  npm run chaos                              one minute of seed 1
  npm run chaos -- --minutes 10 --seed 1..3  one run after the other; ends with the first that fails

  --only FAULT,...   ${Object.keys(faultsByName).join(', ')}
  --keep DIR         the nodes' files and logs, and what clients were told

Exit code 1: something was lost, doubled, displaced or invented, damage was not told, or a fault could
not be carried out.`;

const { values } = toolOptions(usage, {
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    keep: { type: 'string' },
  },
});

/** The seeds that were asked for: one, or a range. */
function seedsOf(text: string): string[] {
  const range = /^(\d+)\.\.(\d+)$/.exec(text);
  if (range === null) return [text];
  const [first, last] = [Number(range[1]), Number(range[2])];
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => String(first + index));
}

function report(seed: string, { judgement, faults, fired, tally }: ChaosVerdict): string[] {
  const { ok, fail, info } = judgement.sends;
  const rate = ((100 * ok) / Math.max(1, ok + fail + info)).toFixed(1);
  const times = [...fired].sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    `seed ${seed}: ${ok} acknowledged (${rate} %), ${fail} refused, ${info} in doubt; ${judgement.recordsRead} read`,
    `  ${[...fired.values()].reduce((sum, count) => sum + count, 0)} faults: ${times.map(([name, count]) => `${name} ${count}`).join(', ')}`,
    `  ${tally.kills} kills, ${tally.endedByDisk} nodes ended by their disk, ${tally.diskOperationsHit} operations met a disk in trouble, ${tally.filesSpoiled} files spoiled`,
    ...(faults.length === 0 ? ['  nothing lost, doubled, displaced or invented'] : []),
    ...faults.slice(0, 20).map((fault) => `  ${fault}`),
    ...(faults.length > 20 ? [`  and ${faults.length - 20} more`] : []),
  ];
}

const minutes = Number(values.minutes);
if (!(minutes > 0)) throw new Error(`--minutes ${values.minutes}: expected a number above 0`);
const { keep } = values;
const only = values.only?.split(',');
const stranger = only?.find((name) => !(name in faultsByName));
if (stranger !== undefined) throw new Error(`--only: there is no fault ${stranger}`);
for (const seed of seedsOf(values.seed)) {
  const began = performance.now();
  const tell = (line: string): void => {
    const seconds = ((performance.now() - began) / 1000).toFixed(1).padStart(7);
    process.stderr.write(`${seconds} s  ${line}\n`);
  };
  const verdict = await runChaos({
    ...{ seed, minutes, tell },
    ...(only === undefined ? {} : { only }),
    ...(keep === undefined ? {} : { keep }),
  });
  process.stdout.write(`${report(seed, verdict).join('\n')}\n`);
  if (verdict.faults.length === 0) continue;
  process.exitCode = 1;
  process.stdout.write(`again: npm run chaos -- --minutes ${minutes} --seed ${seed}\n`);
  break;
}
