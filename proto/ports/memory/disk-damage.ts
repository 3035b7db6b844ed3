/**
 * Damage done to an in-memory disk from below, while no process looks or while one does: what bit
 * rot, lost writes and restored backups leave behind. It hits the visible and the durable image.
 */
import { invariant } from '../../model/invariant.ts';
import type { MemoryDisk } from './memory-disk.ts';

/** Inverts one bit. */
export function flipBit(disk: MemoryDisk, path: string, bit: number): void {
  const content = disk.file(path).content();
  const byte = Math.floor(bit / 8);
  invariant(byte < content.length, `the file has a bit ${bit}`);
  content[byte] = (content[byte] ?? 0) ^ (1 << (bit % 8));
  disk.replaceContent(path, content);
}

/** Cuts the file. */
export function cutFile(disk: MemoryDisk, path: string, bytes: number): void {
  disk.replaceContent(path, disk.file(path).content().subarray(0, bytes));
}

/** Zeros the bytes from `from` up to `to`, exclusive. */
export function zeroRange(disk: MemoryDisk, path: string, from: number, to: number): void {
  disk.replaceContent(path, disk.file(path).content().fill(0, from, to));
}

/** Remembers a range; the returned function puts the old bytes back: a lost or misplaced write. */
export function rememberRange(
  disk: MemoryDisk,
  path: string,
  from: number,
  to: number,
): () => void {
  const old = disk.file(path).content().subarray(from, to);
  return () => {
    const content = disk.file(path).content();
    content.set(old.subarray(0, Math.max(0, content.length - from)), from);
    disk.replaceContent(path, content);
  };
}
