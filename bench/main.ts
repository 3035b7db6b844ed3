/** `npm run -s bench -- <name> [--quick] [--json] [--data <path>]` */
import { parseBenchArguments } from './harness/arguments.ts';
import type { Bench } from './harness/bench.ts';
import { runBench } from './harness/run.ts';

/** Every bench, loaded when it is asked for. */
const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  codec: async () => (await import('./codec/bench.ts')).codecBench,
  compare: async () => (await import('./compare/bench.ts')).compareBench,
  consume: async () => (await import('./consume/bench.ts')).consumeBench,
  'controller-failover': async () =>
    (await import('./controller-failover/bench.ts')).controllerFailoverBench,
  failover: async () => (await import('./failover/bench.ts')).failoverBench,
  latency: async () => (await import('./latency/bench.ts')).latencyBench,
  log: async () => (await import('./log/bench.ts')).logBench,
  metadata: async () => (await import('./metadata/bench.ts')).metadataBench,
  partitions: async () => (await import('./partitions/bench.ts')).partitionsBench,
  produce: async () => (await import('./produce/bench.ts')).produceBench,
  replicate: async () => (await import('./replicate/bench.ts')).replicateBench,
  transport: async () => (await import('./transport/bench.ts')).transportBench,
};

async function main(): Promise<number> {
  const options = parseBenchArguments(process.argv.slice(2));
  const load = options.name === undefined ? undefined : benches[options.name];
  if (options.isHelp && load !== undefined) return explain(await load());
  if (load === undefined) return usage(options.name, options.isHelp);
  return runBench(await load(), options);
}

function usage(name: string | undefined, isHelp: boolean): number {
  const lines = [
    ...(name === undefined ? [] : [`no bench is called ${name}`]),
    'usage: npm run -s bench -- <name> [--quick] [--json] [--data <path>]',
    `names: ${Object.keys(benches).join(' ')}`,
    '--quick  fewer samples, the same keys',
    '--json   one object on standard output',
    '--data   where the data goes: a real disk (default bench/results/data)',
  ];
  process.stderr.write(`${lines.join('\n')}\n`);
  return isHelp ? 0 : 2;
}

function explain(bench: Bench): number {
  const goals = bench.goals.map(({ key, goal, meaning }) => {
    const asked = 'atLeast' in goal ? `>= ${goal.atLeast}` : `<= ${goal.atMost}`;
    return `  ${key} ${asked}  ${meaning}`;
  });
  process.stderr.write(`${[`${bench.name}: ${bench.purpose}`, ...goals].join('\n')}\n`);
  return 0;
}

try {
  process.exitCode = await main();
} catch (caught) {
  process.stderr.write(
    `${caught instanceof Error ? (caught.stack ?? caught.message) : String(caught)}\n`,
  );
  process.exitCode = 1;
}
