import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { lmdbKeyValueOpener } from '../../../../proto/ports/node/lmdb-key-value.ts';
import { nodeClock } from '../../../../proto/ports/node/node-clock.ts';
import { codeOf, putOf } from '../key-value.conformance.ts';
import { scratch } from './scratch.ts';

const mountable = process.platform === 'linux' && process.getuid?.() === 0;

describe.skipIf(!mountable)('LMDB on a full real disk (skipped: needs root to mount)', () => {
  test('rejects the commit and all later use, and still closes', async (context) => {
    const { root, dispose } = await scratch();
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', root]);
    if (mounted.status !== 0) context.skip('mounting a tmpfs is not allowed here');
    try {
      const opener = lmdbKeyValueOpener({ clock: nodeClock, flushMsMax: 5000 });
      const store = await opener.open(`${root}/meta`, { durability: 'synced', tables: ['state'] });
      await store.commit([putOf('small', '1')]);
      const large = 'x'.repeat(2 * 1024 * 1024);
      expect(await codeOf(() => store.commit([putOf('large', large)]))).toBe('STORAGE_ERROR');
      expect(await codeOf(() => store.commit([putOf('later', '1')]))).toBe('STORAGE_ERROR');
      expect(await codeOf(() => store.get('state', Buffer.from('large')))).toBe('STORAGE_ERROR');
      await store.close();
    } finally {
      spawnSync('umount', ['-l', root]);
      await dispose();
    }
  });
});
