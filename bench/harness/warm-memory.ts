/**
 * Memory that a machine has not used for a while may be slow to get: a virtual machine gives free pages
 * back and asks for each again, which made writes of the same bytes up to fifteen times slower. So before
 * each contender's round so many bytes are written to a file that goes again: whoever comes next gets
 * pages that were just in use, as in a process that has been running for long.
 */
import { open, unlink } from 'node:fs/promises';
import { freemem } from 'node:os';
import { join } from 'node:path';

const piece = Buffer.alloc(4 * 1024 * 1024, 1);
/** What a round holds beyond its files: buffers of sockets, heaps that grow. */
const spareBytes = 64e6;

/** What a report says of it. */
export const memoryIsWarm =
  'as many bytes as a round writes were written and removed before each round, for everybody';

/** The page cache can have so many bytes, and some more, without asking anybody. */
export async function warmMemory(directory: string, bytes: number): Promise<void> {
  const path = join(directory, 'warm-memory');
  const wanted = Math.min(bytes + spareBytes, freemem() / 2);
  const file = await open(path, 'w');
  try {
    for (let at = 0; at < wanted; at += piece.length) await file.write(piece);
  } finally {
    await file.close();
    await unlink(path);
  }
}
