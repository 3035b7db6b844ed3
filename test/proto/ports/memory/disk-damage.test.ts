import { expect, test } from 'vitest';
import {
  cutFile,
  flipBit,
  rememberRange,
  zeroRange,
} from '../../../../proto/ports/memory/disk-damage.ts';
import { MemoryDisk } from '../../../../proto/ports/memory/memory-disk.ts';
import { SeededRandom } from '../../../../proto/ports/memory/seeded-random.ts';
import { contentOf, put } from '../file-system.conformance.ts';

test('damage is seen by open handles and survives a power loss', async () => {
  const disk = new MemoryDisk();
  const fs = disk.mount();
  await put(fs, '/a', 'abcdefgh');
  await fs.syncDirectory('/');
  const restore = rememberRange(disk, '/a', 2, 4);
  flipBit(disk, '/a', 0);
  expect(await contentOf(fs, '/a')).toBe('`bcdefgh');
  zeroRange(disk, '/a', 1, 3);
  cutFile(disk, '/a', 5);
  expect(await contentOf(fs, '/a')).toBe('`\0\0de');
  restore();
  disk.crash(new SeededRandom(1), 'drop');
  expect(await contentOf(disk.mount(), '/a')).toBe('`\0cde');
  expect(disk.usedBytes).toBe(5);
});
