import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A directory of its own and the way to remove it. */
export async function scratch(): Promise<{ root: string; dispose: () => Promise<void> }> {
  const root = await mkdtemp(join(tmpdir(), 'highwater-ports-'));
  return { root, dispose: () => rm(root, { recursive: true, force: true }) };
}
