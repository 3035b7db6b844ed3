/** A file system with the trouble of the moment; what it lets through is done by the one below. */
import {
  type DirectoryLock,
  type FileHandle,
  type FileStat,
  type FileSystem,
  FileSystemError,
} from '../../../proto/ports/file-system.ts';
import type { DiskOperation, TroubleWatch } from './trouble.ts';

/** What a handle asks before it does anything. */
type Gate = Pick<TroubleWatch, 'current' | 'hit'>;

export class TroubledFileSystem implements FileSystem {
  readonly #inner: FileSystem;
  readonly #gate: Gate;

  constructor(inner: FileSystem, gate: Gate) {
    this.#inner = inner;
    this.#gate = gate;
  }

  async open(path: string, mode: 'read' | 'write' | 'create'): Promise<FileHandle> {
    return new TroubledFile(await this.#inner.open(path, mode), path, this.#gate);
  }

  async freeBytes(path: string): Promise<number> {
    const free = await this.#inner.freeBytes(path);
    if (!this.#gate.current.isFull) return free;
    this.#gate.hit();
    return 0;
  }

  async syncDirectory(path: string): Promise<void> {
    await pass(this.#gate, 'sync', path);
    return this.#inner.syncDirectory(path);
  }

  stat(path: string): Promise<FileStat | undefined> {
    return this.#inner.stat(path);
  }

  rename(from: string, to: string): Promise<void> {
    return this.#inner.rename(from, to);
  }

  remove(path: string): Promise<void> {
    return this.#inner.remove(path);
  }

  removeTree(path: string): Promise<void> {
    return this.#inner.removeTree(path);
  }

  list(directory: string): Promise<string[]> {
    return this.#inner.list(directory);
  }

  makeDirectory(path: string): Promise<void> {
    return this.#inner.makeDirectory(path);
  }

  lock(path: string): Promise<DirectoryLock | undefined> {
    return this.#inner.lock(path);
  }
}

/** Resolves when the operation may go on; rejects as a disk that cannot do it. */
export async function pass(gate: Gate, operation: DiskOperation, path: string): Promise<void> {
  const { slowMs, failing } = gate.current;
  const isSlow = slowMs > 0 && (operation === 'sync' || operation === 'commit');
  if (isSlow) {
    gate.hit();
    await new Promise((resolve) => setTimeout(resolve, slowMs));
  }
  if (!failing.includes(operation)) return;
  gate.hit();
  throw new FileSystemError('EIO', operation, path);
}

class TroubledFile implements FileHandle {
  readonly #inner: FileHandle;
  readonly #path: string;
  readonly #gate: Gate;
  #isShort = false;

  constructor(inner: FileHandle, path: string, gate: Gate) {
    this.#inner = inner;
    this.#path = path;
    this.#gate = gate;
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    await pass(this.#gate, 'read', this.#path);
    return this.#inner.read(target, position);
  }

  async write(buffers: readonly Uint8Array[], position: number): Promise<number> {
    await pass(this.#gate, 'write', this.#path);
    if (!this.#gate.current.isFull || !isGrowing(this.#path))
      return this.#inner.write(buffers, position);
    this.#gate.hit();
    // A disk that fills up takes the first half, and says so only when it is asked to take the rest.
    this.#isShort = !this.#isShort;
    if (!this.#isShort) throw new FileSystemError('ENOSPC', 'write', this.#path);
    const bytes = Buffer.concat(buffers);
    return this.#inner.write([bytes.subarray(0, Math.floor(bytes.length / 2))], position);
  }

  async sync(): Promise<void> {
    await pass(this.#gate, 'sync', this.#path);
    return this.#inner.sync();
  }

  truncate(bytes: number): Promise<void> {
    return this.#inner.truncate(bytes);
  }

  size(): Promise<number> {
    return this.#inner.size();
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

/** The stores have a reserve that logs may not touch: a full disk is what logs meet. */
function isGrowing(path: string): boolean {
  return path.endsWith('.log');
}
