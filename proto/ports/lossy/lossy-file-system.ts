/**
 * A file system for real test processes in which kill -9 is a power loss: bytes that were not synced
 * are only in the memory of the process. Creates, renames and removes take effect at once; losing
 * those is what the in-memory disk is for. Never used in production: it holds unsynced bytes without
 * a bound.
 */
import {
  type DirectoryLock,
  type FileHandle,
  type FileStat,
  type FileSystem,
  FileSystemError,
} from '../file-system.ts';
import { LossyFile } from './lossy-file.ts';

/** Wraps the real file system. All users of the files in this process have to share the wrapper. */
export class LossyFileSystem implements FileSystem {
  readonly #inner: FileSystem;
  /** Files that are open or hold unsynced bytes, by path. */
  readonly #files = new Map<string, Promise<LossyFile>>();

  constructor(inner: FileSystem) {
    this.#inner = inner;
  }

  async open(path: string, mode: 'read' | 'write' | 'create'): Promise<FileHandle> {
    let opening = this.#files.get(path);
    if (opening === undefined) {
      opening = this.#openInner(path, mode);
      this.#files.set(path, opening);
      opening.catch(() => this.#files.delete(path));
    }
    const file = await opening;
    file.openCount++;
    const release = async () => {
      file.openCount--;
      const isListed = this.#files.get(path) === opening;
      if (file.openCount > 0 || (isListed && file.hasUnsynced)) return;
      if (isListed) this.#files.delete(path);
      await file.close();
    };
    return new LossyFileHandle(file, path, mode !== 'read', release);
  }

  async stat(path: string): Promise<FileStat | undefined> {
    const stat = await this.#inner.stat(path);
    const file = await this.#files.get(path);
    return stat === undefined || file === undefined ? stat : { ...stat, bytes: file.size };
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#inner.rename(from, to);
    const moved = [...this.#files].filter(([path]) => path === from || path.startsWith(`${from}/`));
    this.#files.delete(to);
    for (const [path, file] of moved) {
      this.#files.delete(path);
      this.#files.set(to + path.slice(from.length), file);
    }
  }

  async remove(path: string): Promise<void> {
    await this.#inner.remove(path);
    this.#files.delete(path);
  }

  async removeTree(path: string): Promise<void> {
    await this.#inner.removeTree(path);
    for (const each of this.#files.keys()) {
      if (each === path || each.startsWith(`${path}/`)) this.#files.delete(each);
    }
  }

  list(directory: string): Promise<string[]> {
    return this.#inner.list(directory);
  }

  makeDirectory(path: string): Promise<void> {
    return this.#inner.makeDirectory(path);
  }

  syncDirectory(path: string): Promise<void> {
    return this.#inner.syncDirectory(path);
  }

  freeBytes(path: string): Promise<number> {
    return this.#inner.freeBytes(path);
  }

  lock(path: string): Promise<DirectoryLock | undefined> {
    return this.#inner.lock(path);
  }

  async #openInner(path: string, mode: 'read' | 'write' | 'create'): Promise<LossyFile> {
    const inner = await this.#inner.open(path, mode === 'create' ? 'create' : 'write');
    return new LossyFile(inner, await inner.size());
  }
}

class LossyFileHandle implements FileHandle {
  readonly #file: LossyFile;
  readonly #path: string;
  readonly #isWritable: boolean;
  readonly #release: () => Promise<void>;
  #isClosed = false;

  constructor(file: LossyFile, path: string, isWritable: boolean, release: () => Promise<void>) {
    this.#file = file;
    this.#path = path;
    this.#isWritable = isWritable;
    this.#release = release;
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    this.#check('read', true);
    return this.#file.read(target, position);
  }

  async write(buffers: readonly Uint8Array[], position: number): Promise<number> {
    this.#check('write', this.#isWritable);
    await Promise.resolve();
    return this.#file.write(buffers, position);
  }

  async sync(): Promise<void> {
    this.#check('sync', true);
    return this.#file.sync();
  }

  async truncate(bytes: number): Promise<void> {
    this.#check('truncate', this.#isWritable);
    await Promise.resolve();
    this.#file.resize(bytes);
  }

  async size(): Promise<number> {
    this.#check('size', true);
    await Promise.resolve();
    return this.#file.size;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#release();
  }

  #check(operation: string, isAllowed: boolean): void {
    if (this.#isClosed || !isAllowed) throw new FileSystemError('EBADF', operation, this.#path);
  }
}
