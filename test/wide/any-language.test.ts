/**
 * The contracts are enough for any language: a client in Python, made of the .proto files and grpcio alone,
 * writes and reads. Skipped, with a word, where there is no Python or grpcio cannot be installed.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { startCluster } from '../../broker/main/cluster.ts';

const schema = fileURLToPath(new URL('../../proto/schema', import.meta.url));
const program = fileURLToPath(new URL('./any-language.py', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'highwater-python-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('a client in Python creates a topic, writes plain records and reads them', async (context) => {
  const python = join(folder, 'venv/bin/python');
  const steps = [
    ['python3', '-m', 'venv', join(folder, 'venv')],
    [python, '-m', 'pip', 'install', '--quiet', 'grpcio', 'grpcio-tools'],
  ];
  for (const words of steps) {
    const { code, err } = await run(words);
    if (code !== 0) context.skip(`no Python with grpcio here: ${words.join(' ')}: ${err}`);
  }
  const out = join(folder, 'contracts');
  mkdirSync(out);
  const contracts = ['admin', 'common', 'fetch', 'metadata', 'produce'].map(
    (name) => `highwater/v1/${name}.proto`,
  );
  const outputs = [`--python_out=${out}`, `--grpc_python_out=${out}`];
  const compiled = await run([
    python,
    '-m',
    'grpc_tools.protoc',
    `-I${schema}`,
    ...outputs,
    ...contracts,
  ]);
  expect(compiled.code, compiled.err).toBe(0);

  await using cluster = await startCluster({ nodes: 3 });
  const [broker = ''] = cluster.brokers;
  const walked = await run([python, program, out, broker]);
  expect(walked.err).toBe('');
  expect(walked.out.trimEnd().split('\n')).toEqual([
    'written 0 2 ',
    'read 0 k0 value 0 python',
    'read 1 k1 value 1 python',
    'read 2 k2 value 2 python',
    'refused NOT_FOUND',
  ]);
}, 300_000);

function run([program = '', ...words]: readonly string[]): Promise<{
  readonly code: number;
  readonly out: string;
  readonly err: string;
}> {
  return new Promise((resolve) => {
    const child = execFile(program, words, { timeout: 200_000 }, (_error, out, err) =>
      resolve({ code: child.exitCode ?? -1, out, err }),
    );
  });
}
