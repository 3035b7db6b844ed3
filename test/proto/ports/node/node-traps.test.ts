import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { writeAll } from '../../../../proto/ports/file-system.ts';
import { gather } from '../../../../proto/ports/node/gather.ts';
import { nodeFileSystem } from '../../../../proto/ports/node/node-file-system.ts';
import { loggerTo } from '../../../../proto/ports/node/pino-logger.ts';
import { SyncGate, syncsAtOnce } from '../../../../proto/ports/node/sync-gate.ts';
import { errnoOf } from '../file-system.conformance.ts';
import { scratch } from './scratch.ts';

describe('the lock of a directory', () => {
  test('is held against another process, and freed when its holder is killed', async () => {
    const { root, dispose } = await scratch();
    const path = `${root}/lock`;
    const module = new URL('../../../../proto/ports/node/directory-lock.ts', import.meta.url).href;
    const script = `const { lockFile } = await import(${JSON.stringify(module)});
      console.log(lockFile(${JSON.stringify(path)}) === undefined ? 'refused' : 'held');
      setInterval(() => {}, 1000);`;
    const args = ['--import', 'tsx', '--input-type=module', '-e', script];
    const holder = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const [said] = (await once(holder.stdout, 'data')) as [Buffer];
    expect(String(said).trim()).toBe('held');
    const fs = nodeFileSystem();
    expect(await fs.lock(path)).toBeUndefined();
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    const lock = await fs.lock(path);
    expect(lock).toBeDefined();
    await lock?.release();
    await dispose();
  });
});

const mountable = process.platform === 'linux' && process.getuid?.() === 0;

describe.skipIf(!mountable)('a full real disk (skipped: needs root to mount a tmpfs)', () => {
  test('writes short without an error, and writeAll then says ENOSPC', async (context) => {
    const { root, dispose } = await scratch();
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', root]);
    if (mounted.status !== 0) context.skip('mounting a tmpfs is not allowed here');
    try {
      const fs = nodeFileSystem();
      expect(await fs.freeBytes(root)).toBeLessThanOrEqual(64 * 1024);
      const file = await fs.open(`${root}/a`, 'create');
      const written = await file.write([Buffer.alloc(100 * 1024)], 0);
      expect(written).toBeGreaterThan(0);
      expect(written).toBeLessThan(100 * 1024);
      expect(await errnoOf(writeAll(file, [Buffer.alloc(100 * 1024)], 0))).toBe('ENOSPC');
      await file.close();
    } finally {
      spawnSync('umount', [root]);
      await dispose();
    }
  });
});

describe('the sync gate', () => {
  test('lets half of the pool sync at once and the rest in order', async () => {
    const gate = new SyncGate(syncsAtOnce(4));
    const ends: (() => void)[] = [];
    const begun: number[] = [];
    const all = [0, 1, 2, 3, 4].map((index) =>
      gate.run(() => {
        begun.push(index);
        return new Promise<void>((resolve) => {
          ends.push(resolve);
        });
      }),
    );
    await turn();
    expect(begun).toEqual([0, 1]);
    for (let ended = 0; ended < 5; ended++) {
      ends[ended]?.();
      await turn();
    }
    await Promise.all(all);
    expect(begun).toEqual([0, 1, 2, 3, 4]);
  });

  test('goes on after a failed sync', async () => {
    const gate = new SyncGate(1);
    await expect(gate.run(() => Promise.reject(new Error('EIO')))).rejects.toThrow('EIO');
    expect(await gate.run(() => Promise.resolve('next'))).toBe('next');
  });
});

describe('gather', () => {
  test('joins tiny neighbours, passes large ones uncopied and stays within 1024 vectors', () => {
    const large = Buffer.alloc(8192, 'L');
    const gathered = gather([Buffer.from('a'), Buffer.from('b'), large, Buffer.from('c')]);
    expect(gathered.map((buffer) => buffer.length)).toEqual([2, 8192, 1]);
    expect(gathered[1]).toBe(large);
    const many = gather(Array.from({ length: 3000 }, () => large));
    expect(many.length).toBeLessThanOrEqual(1024);
  });
});

describe('the pino logger', () => {
  test('writes one JSON line for each event, with ids, levels and exact 64-bit numbers', () => {
    const lines: string[] = [];
    const logger = loggerTo({ write: (line: string) => lines.push(line) }, 'info');
    logger.debug('hidden', 'Below the level.');
    logger
      .with({ nodeId: 1 })
      .info('leader-elected', 'A leader was elected.', { epoch: 2n ** 60n });
    logger.error('storage-failed', 'The disk failed.', { error: new Error('EIO') });
    expect(lines).toHaveLength(2);
    expect(lines[0]).toContain('"epoch":1152921504606846976');
    const expected = { level: 'info', nodeId: 1, event: 'leader-elected' };
    expect(JSON.parse(lines[0] ?? '')).toMatchObject(expected);
    expect(JSON.parse(lines[1] ?? '')).toMatchObject({ level: 'error', error: { message: 'EIO' } });
  });
});
