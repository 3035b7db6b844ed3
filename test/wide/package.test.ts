/**
 * The package as its users meet it: packed, installed into an empty folder, run, imported, type-checked.
 * Installing asks the package registry for the dependencies, as `npm ci` did before.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'highwater-package-'));
let dev: ChildProcess | undefined;

beforeAll(async () => {
  const packed = await run('npm', ['pack', '--silent', '--pack-destination', folder], root);
  expect(packed.code, packed.err).toBe(0);
  writeFileSync(join(folder, 'package.json'), '{ "name": "shop", "private": true }\n');
  const archive = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '';
  const quietly = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'];
  const installed = await run('npm', ['install', ...quietly, `./${archive}`]);
  expect(installed.code, installed.err).toBe(0);
}, 240_000);

afterAll(async () => {
  if (dev !== undefined && dev.exitCode === null) {
    const ended = new Promise((resolve) => dev?.once('exit', resolve));
    // The whole group: npx does not pass the signal on to what it started.
    if (dev.pid !== undefined) process.kill(-dev.pid, 'SIGTERM');
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
});

it('a cluster is started with `npx highwater dev`, written to and read', async () => {
  const brokers = await startDev();
  const at = ['--brokers', brokers];
  const created = await npx(['topic', 'create', 'orders', '--partitions', '3', ...at]);
  expect(created.code, created.err).toBe(0);
  const produced = await npx(['produce', 'orders', '--json', ...at], 'hello\nworld\n');
  expect(JSON.parse(produced.out)).toEqual({ topic: 'orders', written: 2, degraded: 0 });
  const consumed = await npx(['consume', 'orders', ...at]);
  expect(consumed.out.trimEnd().split('\n').sort()).toEqual(['hello', 'world']);
  expect(consumed.code).toBe(0);
});

it('a CommonJS program requires it', async () => {
  const program = `const { connect, HighwaterError } = require('highwater');
    const { startCluster } = require('highwater/testing');
    console.log(typeof connect, typeof HighwaterError, typeof startCluster);`;
  const { out, code } = await run(process.execPath, ['-e', program]);
  expect(out.trim()).toBe('function function function');
  expect(code).toBe(0);
});

it('the contracts for other languages are in it', async () => {
  const resolved = `console.log(require.resolve('highwater/proto/highwater/v1/produce.proto'))`;
  expect((await run(process.execPath, ['-e', resolved])).code).toBe(0);
});

it.each(['nodenext', 'bundler'])(
  'its types and the examples hold with module resolution %s',
  async (moduleResolution) => {
    cpSync(join(root, 'docs/examples'), join(folder, 'examples'), {
      recursive: true,
      filter: (path) => !path.endsWith('tsconfig.json') && !path.includes('vitest'),
    });
    const compilerOptions = {
      target: 'es2023',
      lib: ['es2023', 'esnext.disposable'],
      module: moduleResolution === 'nodenext' ? 'nodenext' : 'esnext',
      moduleResolution,
      strict: true,
      noEmit: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      allowImportingTsExtensions: true,
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
    };
    const config = { compilerOptions, include: ['examples'] };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
    writeFileSync(join(folder, 'examples/package.json'), '{ "type": "module" }\n');
    const compiler = join(root, 'node_modules/typescript/bin/tsc');
    const { out, code } = await run(process.execPath, [compiler, '-p', '.']);
    expect(out).toBe('');
    expect(code).toBe(0);
  },
);

it('the client loads where the server and what it needs are not there', async () => {
  const installed = join(folder, 'node_modules');
  for (const name of ['lmdb', 'pino', 'highwater/dist/broker', 'highwater/dist/controller'])
    rmSync(join(installed, name), { recursive: true });
  const program = `import { connect } from 'highwater';
    await connect({ brokers: ['127.0.0.1:1'], connectTimeoutMs: 50 }).catch((e) => console.log(e.code));`;
  const { out, err } = await run(process.execPath, ['--input-type=module', '-e', program]);
  expect(err).toBe('');
  expect(out.trim()).toBe('CONNECTION_LOST');
});

/** Starts a development cluster and resolves to its brokers. */
function startDev(): Promise<string> {
  const child = spawn('npx', ['--no', 'highwater', 'dev', '--json'], {
    cwd: folder,
    detached: true,
  });
  dev = child;
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`dev ended with ${code}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const told = JSON.parse(line) as { readonly brokers: readonly string[] };
      resolve(told.brokers.join(','));
    });
  });
}

function npx(words: readonly string[], input = ''): ReturnType<typeof run> {
  return run('npx', ['--no', 'highwater', ...words], folder, input);
}

function run(
  program: string,
  words: readonly string[],
  cwd = folder,
  input = '',
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  return new Promise((resolve) => {
    const options = { cwd, env: { ...process.env, NODE_OPTIONS: '' }, timeout: 200_000 };
    const child = execFile(program, [...words], options, (_error, out, err) =>
      resolve({ code: child.exitCode ?? -1, out, err }),
    );
    child.stdin?.end(input);
  });
}
