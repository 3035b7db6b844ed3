/**
 * A lock of a directory that ends with the process, however it ends: flock on a file that this
 * process keeps open. Node has no flock; the `flock` tool takes the lock on the inherited open file
 * description, where it stays when the tool has ended. macOS takes it with an open flag instead.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { HighwaterError } from '../../model/errors.ts';
import type { DirectoryLock } from '../file-system.ts';

/** O_EXLOCK of macOS and the BSDs. */
const openExclusive = 0x20;

/** Takes the lock, or returns undefined if another live process (or handle) holds it. */
export function lockFile(path: string): DirectoryLock | undefined {
  const descriptor = process.platform === 'linux' ? lockByTool(path) : lockByOpen(path);
  if (descriptor === undefined) return undefined;
  let isReleased = false;
  return {
    release: () => {
      if (!isReleased) closeSync(descriptor);
      isReleased = true;
      return Promise.resolve();
    },
  };
}

function lockByTool(path: string): number | undefined {
  const descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o644);
  const { status, error } = spawnSync('flock', ['-n', '3'], {
    stdio: ['ignore', 'ignore', 'ignore', descriptor],
  });
  if (status === 0) return descriptor;
  closeSync(descriptor);
  if (error === undefined && status === 1) return undefined;
  throw new HighwaterError(
    'STORAGE_ERROR',
    `cannot lock ${path}: the tool "flock" of util-linux is needed and did not work`,
    { cause: error, outcome: 'not-written' },
  );
}

function lockByOpen(path: string): number | undefined {
  if (process.platform !== 'darwin') {
    throw new HighwaterError('STORAGE_ERROR', `cannot lock ${path} on ${process.platform}`, {
      outcome: 'not-written',
    });
  }
  const { O_RDWR, O_CREAT, O_NONBLOCK } = constants;
  try {
    return openSync(path, O_RDWR | O_CREAT | O_NONBLOCK | openExclusive, 0o644);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EAGAIN' || code === 'EWOULDBLOCK') return undefined;
    throw error;
  }
}
