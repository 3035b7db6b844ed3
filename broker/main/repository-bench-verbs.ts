/**
 * `highwater bench failover|compare`: benches that start clusters and peers of their own. They live in the
 * repository and not in the package; from a clone they run, elsewhere they say where they are.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { exitCodes, UsageError, type Verb, type VerbInput } from '../../client/cli/verb.ts';

/** The root of the package, seen from `dist/broker/main`. */
const root = fileURLToPath(new URL('../../../', import.meta.url));

export const benchFailoverVerb: Verb = repositoryBench(
  'failover',
  'Kill, stop and move leaders under load; the longest gaps between acknowledgements.',
);

export const benchCompareVerb: Verb = repositoryBench(
  'compare',
  'The same loads on Highwater, Kafka and NATS JetStream; npm run peers brings the peers.',
);

function repositoryBench(name: 'failover' | 'compare', summary: string): Verb {
  return {
    name: `bench ${name}`,
    summary,
    options: [
      { name: 'quick', meaning: 'Fewer samples, the same figures.' },
      { name: 'data', value: 'DIR', meaning: 'Where the data goes: a real disk.' },
    ],
    examples: [`highwater bench ${name} --quick`],
    run: (input) => runBench(name, input),
  };
}

async function runBench(name: string, input: VerbInput): Promise<number> {
  if (!existsSync(`${root}bench/main.ts`))
    throw new UsageError(
      `bench ${name} is part of the repository and not of the package: clone it, then npm ci && npm run bench -- ${name}`,
    );
  if (!existsSync(`${root}node_modules/tsx/package.json`))
    throw new UsageError(`bench ${name} needs what the repository is developed with: npm ci`);
  const data = input.option('data');
  const argv = [
    ...['--import', 'tsx', 'bench/main.ts', name],
    ...(input.has('quick') ? ['--quick'] : []),
    ...(input.output.isJson ? ['--json'] : []),
    ...(data === undefined ? [] : ['--data', data]),
  ];
  const child = spawn(process.execPath, argv, { cwd: root, stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? exitCodes.interrupted;
}
