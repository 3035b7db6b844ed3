/**
 * Files, with the durability contract that the log relies on.
 *
 * What survives a power loss: bytes of a file for which `sync` resolved after they were written, if
 * the file's directory entry is itself durable, which takes `syncDirectory` after the create, rename
 * or remove. Anything else may be there, be missing, or be there in part, in any order.
 * What survives a killed process: everything whose promise resolved.
 *
 * Paths are absolute. Failures are `FileSystemError` with the errno name.
 */
export interface FileSystem {
  /** `read`: must exist. `write`: must exist, read and write. `create`: as `write`, made if missing. */
  open(path: string, mode: 'read' | 'write' | 'create'): Promise<FileHandle>;
  /** Names in a directory, sorted, files and directories alike. */
  list(directory: string): Promise<string[]>;
  /** Size and kind, or undefined if there is nothing at the path. */
  stat(path: string): Promise<FileStat | undefined>;
  /** Makes a directory and its parents; harmless if it exists. */
  makeDirectory(path: string): Promise<void>;
  /** Atomic replacement of `to`; durable after `syncDirectory` of the parents. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file; harmless if it is missing. */
  remove(path: string): Promise<void>;
  /** Removes a directory with everything in it; harmless if it is missing. */
  removeTree(path: string): Promise<void>;
  /** Makes creates, renames and removes in the directory durable. */
  syncDirectory(path: string): Promise<void>;
  /** Bytes that may still be written on the disk that holds the path. */
  freeBytes(path: string): Promise<number>;
  /**
   * Takes the lock file of a directory for this process, or resolves to undefined if another live
   * process holds it. The lock ends with the process, however it ends; it is not a pid in a file.
   */
  lock(path: string): Promise<DirectoryLock | undefined>;
}

export interface FileHandle {
  /** Reads up to `target.length` bytes at `position` into `target`; returns how many, 0 at the end. */
  read(target: Uint8Array, position: number): Promise<number>;
  /**
   * Writes the buffers one after the other at `position` and returns how many bytes were written.
   * It may be fewer than asked, without an error (a full disk does that): use `writeAll`.
   */
  write(buffers: readonly Uint8Array[], position: number): Promise<number>;
  /** fdatasync. After a failure the file's unsynced bytes are undefined: never call it again. */
  sync(): Promise<void>;
  /** Cuts or extends (with zeros) the file. */
  truncate(bytes: number): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
}

export interface FileStat {
  readonly bytes: number;
  readonly isDirectory: boolean;
  readonly modifiedMs: number;
}

export interface DirectoryLock {
  release(): Promise<void>;
}

/** A failed file operation: the errno name, what was tried and where. */
export class FileSystemError extends Error {
  override readonly name = 'FileSystemError';
  readonly errno: string;
  readonly operation: string;
  readonly path: string;

  constructor(errno: string, operation: string, path: string, cause?: unknown) {
    super(`${operation} ${path}: ${errno}`, cause === undefined ? undefined : { cause });
    this.errno = errno;
    this.operation = operation;
    this.path = path;
  }

  /** There is no room; that may pass. */
  get isFull(): boolean {
    return this.errno === 'ENOSPC' || this.errno === 'EDQUOT';
  }
}

/**
 * Writes everything or throws. A short write resolves without an error on a full disk and only the
 * next call says ENOSPC (rule B5.1), so it goes on until all bytes are written.
 */
export async function writeAll(
  file: FileHandle,
  buffers: readonly Uint8Array[],
  position: number,
): Promise<void> {
  let rest: readonly Uint8Array[] = buffers;
  let at = position;
  while (rest.length > 0) {
    const written = await file.write(rest, at);
    at += written;
    rest = skip(rest, written);
  }
}

/** What is left of the buffers after their first `count` bytes. */
function skip(buffers: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let left = count;
  let index = 0;
  for (; index < buffers.length; index++) {
    const length = buffers[index]?.length ?? 0;
    if (length > left) break;
    left -= length;
  }
  const first = buffers[index];
  if (first === undefined) return [];
  return [first.subarray(left), ...buffers.slice(index + 1)];
}
