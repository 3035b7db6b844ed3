import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { nodeFileSystem } from '../../../../proto/ports/node/node-file-system.ts';
import { contentOf } from '../file-system.conformance.ts';
import { scratch } from '../node/scratch.ts';

/** The text of a module that imports from `proto/ports`. */
const moduleOf = (path: string) =>
  JSON.stringify(new URL(`../../../../proto/ports/${path}`, import.meta.url).href);

test('kill -9 of a real process loses exactly what it had not synced', async () => {
  const { root, dispose } = await scratch();
  const script = `
    const { LossyFileSystem } = await import(${moduleOf('lossy/lossy-file-system.ts')});
    const { nodeFileSystem } = await import(${moduleOf('node/node-file-system.ts')});
    const file = await new LossyFileSystem(nodeFileSystem()).open(process.argv[1], 'create');
    await file.write([Buffer.from('durable')], 0);
    await file.sync();
    await file.write([Buffer.from('unsynced')], 7);
    console.log(await file.size());
    setInterval(() => {}, 1000);`;
  const args = ['--import', 'tsx', '--input-type=module', '-e', script, `${root}/a`];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  expect(String(said).trim()).toBe('15');
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await contentOf(nodeFileSystem(), `${root}/a`)).toBe('durable');
  await dispose();
});
