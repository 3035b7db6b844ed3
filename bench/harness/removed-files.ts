/**
 * The files of a round are gone before the next one begins. Pages that were just let go are written to
 * several times faster than pages which the machine has not used for a while, so whoever still holds
 * the files of his last round would pay for it in the next, and the other contender would not.
 */
import { readdir } from 'node:fs/promises';

const goneWithinMs = 120_000;
const lookEveryMs = 20;

/** Resolves once no entry of any of the folders has a name that begins like this. */
export async function filesGone(folders: readonly string[], prefix: string): Promise<void> {
  const deadline = performance.now() + goneWithinMs;
  for (;;) {
    const names = (await Promise.all(folders.map((folder) => readdir(folder)))).flat();
    const left = names.filter((name) => name.startsWith(prefix));
    if (left.length === 0) return;
    if (performance.now() > deadline) throw new Error(`${left[0]} is still there`);
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
}
