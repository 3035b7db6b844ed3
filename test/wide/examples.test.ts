/** The programs of docs/examples do what they say. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const folder = fileURLToPath(new URL('../../docs/examples/', import.meta.url));

it.each([
  [
    'quick-start.ts',
    ['written at offset 0, in sync: 3 replicas', 'read customer-7: {"item":"book","count":2}'],
  ],
  [
    'consumer-group.ts',
    [
      'two members share the partitions',
      'one member was killed; the other holds every partition',
      'all 300 records were handled',
    ],
  ],
  [
    'ordered-per-key.ts',
    [expect.stringMatching(/^12 accounts in order, up to [2-8] at once$/), 'left to handle: 0'],
  ],
  [
    'read-your-writes.ts',
    [
      'written at offset 0; the token has grown: true',
      expect.stringMatching(/^node \d is a follower and served ann: blue$/),
    ],
  ],
])('%s prints what it claims', async (program, lines) => {
  const { code, out, err } = await run(['--import', 'tsx', program]);
  expect(err).toBe('');
  expect(out.trimEnd().split('\n')).toEqual(lines);
  expect(code).toBe(0);
});

it('the test for node:test passes', async () => {
  const { code, out } = await run(['--import', 'tsx', '--test', 'failover.node.test.ts']);
  expect(out).toMatch(/pass 1\b/);
  expect(code).toBe(0);
});

it('the test for vitest passes', async () => {
  const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
  const { code, out } = await run([vitest, 'run']);
  expect(out).toMatch(/1 passed/);
  expect(code).toBe(0);
});

function run(words: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  // What vitest sets for its own workers would make the vitest of an example one of them.
  const names = Object.keys(process.env).filter((name) => !name.startsWith('VITEST'));
  const env = {
    ...Object.fromEntries(names.map((name) => [name, process.env[name]])),
    NO_COLOR: '1',
    NODE_OPTIONS: '',
  };
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [...words],
      { cwd: folder, env, timeout: 60_000 },
      (_error, out, err) => resolve({ code: child.exitCode ?? -1, out, err }),
    );
  });
}
