/**
 * Files of the real machine. Data operations use descriptors and callbacks, the cheapest way there
 * is; the rest is rare and uses promises.
 */
import * as fs from 'node:fs';
import * as files from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  type DirectoryLock,
  type FileHandle,
  type FileStat,
  type FileSystem,
  FileSystemError,
} from '../file-system.ts';
import { lockFile } from './directory-lock.ts';
import { NodeFileHandle } from './node-file-handle.ts';
import { SyncGate, syncsAtOnce } from './sync-gate.ts';

export interface NodeFileSystemOptions {
  /** Threads of libuv's pool, as set by UV_THREADPOOL_SIZE when the process started. */
  readonly threadPoolSize?: number;
}

/** libuv's default. */
const threadPoolSizeDefault = 4;

/** The file system of this machine. One for each process, since it bounds its fsyncs. */
export function nodeFileSystem(options: NodeFileSystemOptions = {}): FileSystem {
  return new NodeFileSystem(
    new SyncGate(syncsAtOnce(options.threadPoolSize ?? threadPoolSizeDefault)),
  );
}

class NodeFileSystem implements FileSystem {
  readonly #gate: SyncGate;

  constructor(gate: SyncGate) {
    this.#gate = gate;
  }

  async open(path: string, mode: 'read' | 'write' | 'create'): Promise<FileHandle> {
    const { O_RDONLY, O_RDWR, O_CREAT } = fs.constants;
    const flags = { read: O_RDONLY, write: O_RDWR, create: O_RDWR | O_CREAT }[mode];
    const descriptor = await new Promise<number>((resolve, reject) => {
      fs.open(path, flags, 0o644, (error, opened) => {
        if (error === null) resolve(opened);
        else reject(fileSystemError(error, 'open', path));
      });
    });
    return new NodeFileHandle(descriptor, path, this.#gate);
  }

  list(directory: string): Promise<string[]> {
    return attempt('list', directory, async () => (await files.readdir(directory)).sort());
  }

  async stat(path: string): Promise<FileStat | undefined> {
    try {
      const found = await files.stat(path);
      const isDirectory = found.isDirectory();
      return { bytes: isDirectory ? 0 : found.size, isDirectory, modifiedMs: found.mtimeMs };
    } catch (error) {
      const failure = fileSystemError(error, 'stat', path);
      if (failure.errno === 'ENOENT' || failure.errno === 'ENOTDIR') return undefined;
      throw failure;
    }
  }

  makeDirectory(path: string): Promise<void> {
    return attempt('make-directory', path, async () => {
      await files.mkdir(path, { recursive: true });
    });
  }

  rename(from: string, to: string): Promise<void> {
    return attempt('rename', from, () => files.rename(from, to));
  }

  async remove(path: string): Promise<void> {
    try {
      await files.unlink(path);
    } catch (error) {
      const failure = fileSystemError(error, 'remove', path);
      // macOS says EPERM for a directory where Linux says EISDIR.
      if (failure.errno === 'EPERM' && (await this.stat(path))?.isDirectory === true) {
        throw new FileSystemError('EISDIR', 'remove', path, error);
      }
      if (failure.errno !== 'ENOENT') throw failure;
    }
  }

  removeTree(path: string): Promise<void> {
    return attempt('remove', path, () => files.rm(path, { recursive: true, force: true }));
  }

  syncDirectory(path: string): Promise<void> {
    return this.#gate.run(() =>
      attempt('sync-directory', path, async () => {
        const directory = await files.open(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
        try {
          await directory.sync();
        } finally {
          await directory.close();
        }
      }),
    );
  }

  freeBytes(path: string): Promise<number> {
    return attempt('free-bytes', path, async () => {
      const disk = await files.statfs(path);
      return disk.bavail * disk.bsize;
    });
  }

  /** A start-up operation: it blocks for the few milliseconds that the lock takes. */
  async lock(path: string): Promise<DirectoryLock | undefined> {
    const directory = await this.stat(dirname(path));
    if (directory === undefined) throw new FileSystemError('ENOENT', 'lock', path);
    return lockFile(path);
  }
}

/** What Node threw, with its errno. */
export function fileSystemError(error: unknown, operation: string, path: string): FileSystemError {
  const { code } = error as NodeJS.ErrnoException;
  return new FileSystemError(code ?? 'EIO', operation, path, error);
}

async function attempt<Value>(
  operation: string,
  path: string,
  run: () => Promise<Value>,
): Promise<Value> {
  try {
    return await run();
  } catch (error) {
    throw fileSystemError(error, operation, path);
  }
}
