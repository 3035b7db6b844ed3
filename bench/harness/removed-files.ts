/**
 * The files of a round are gone before the next one begins. Pages that were just let go are written to
 * several times faster than pages which the machine has not used for a while, so whoever still holds
 * the files of his last round would pay for it in the next, and the other contender would not.
 */
import { readdir } from 'node:fs/promises';
import { until } from '../../test/support/cluster-view.ts';

const goneWithinMs = 120_000;

/** Resolves once no entry of any of the folders has a name that begins like this. */
export async function filesGone(folders: readonly string[], prefix: string): Promise<void> {
  await until(
    async () => {
      const names = await Promise.all(folders.map((folder) => readdir(folder)));
      return names.flat().filter((name) => name.startsWith(prefix));
    },
    (left) => left.length === 0,
    `no file of ${prefix} is left`,
    goneWithinMs,
  );
}
