/**
 * The file-system port over a MemoryDisk, as one process sees it. Operations take effect when they
 * end: at once, or after the disk's latency on the process's own clock.
 */
import { invariant } from '../../model/invariant.ts';
import type { Clock } from '../clock.ts';
import {
  type DirectoryLock,
  type FileHandle,
  type FileStat,
  type FileSystem,
  FileSystemError,
} from '../file-system.ts';
import {
  findNode,
  type MemoryDirectory,
  makeDirectory,
  pathNames,
  type TreeEntry,
  type TreeNode,
} from './directory-tree.ts';
import type { CombinedFault, FileOperation, FileOperationKind } from './disk-faults.ts';
import type { MemoryDisk } from './memory-disk.ts';
import { MemoryFile } from './memory-file.ts';
import { MemoryFileHandle } from './memory-file-handle.ts';

export class MemoryFileSystem implements FileSystem {
  readonly #disk: MemoryDisk;
  readonly #clock: Clock | undefined;
  #isEnded = false;

  /** Use `disk.mount(clock)`. */
  constructor(disk: MemoryDisk, clock: Clock | undefined) {
    this.#disk = disk;
    this.#clock = clock;
  }

  /** The process that mounted it is dead. Every operation fails from here on. */
  end(): void {
    this.#isEnded = true;
  }

  async open(path: string, mode: 'read' | 'write' | 'create'): Promise<FileHandle> {
    await this.begin('open', path);
    const found = findNode(this.#disk.tree.root, path);
    if (found?.kind === 'directory') throw new FileSystemError('EISDIR', 'open', path);
    if (found === undefined && mode !== 'create') throw new FileSystemError('ENOENT', 'open', path);
    const file = found ?? this.#create(path);
    const opened = { file, path, isWritable: mode !== 'read' };
    return new MemoryFileHandle(this, this.#disk, opened);
  }

  async list(directory: string): Promise<string[]> {
    await this.begin('list', directory);
    return [...this.#directory('list', directory).entries.keys()].sort();
  }

  async stat(path: string): Promise<FileStat | undefined> {
    await this.begin('stat', path);
    const node = findNode(this.#disk.tree.root, path);
    if (node === undefined) return undefined;
    const isDirectory = node.kind === 'directory';
    return { bytes: isDirectory ? 0 : node.size, isDirectory, modifiedMs: node.modifiedMs };
  }

  async makeDirectory(path: string): Promise<void> {
    const { isSkipped } = await this.begin('make-directory', path);
    if (isSkipped) return;
    let directory = this.#disk.tree.root;
    for (const name of pathNames(path)) {
      let node = directory.entries.get(name);
      if (node?.kind === 'file') throw new FileSystemError('EEXIST', 'make-directory', path);
      if (node === undefined) {
        node = makeDirectory();
        node.modifiedMs = this.wall();
        this.#disk.tree.link({ directory, name }, node);
      }
      directory = node;
    }
  }

  async rename(from: string, to: string): Promise<void> {
    const { isSkipped } = await this.begin('rename', from);
    if (isSkipped) return;
    const source = this.#entry('rename', from);
    const target = this.#entry('rename', to);
    const node = source.directory.entries.get(source.name);
    if (node === undefined) throw new FileSystemError('ENOENT', 'rename', from);
    const replaced = target.directory.entries.get(target.name);
    if (replaced === node) return;
    const refusal = replaced === undefined ? undefined : refusalToReplace(replaced, node);
    if (refusal !== undefined) throw new FileSystemError(refusal, 'rename', to);
    if (replaced?.kind === 'file') this.#release(replaced);
    this.#disk.tree.rename(source, target, node);
  }

  async remove(path: string): Promise<void> {
    const { isSkipped } = await this.begin('remove', path);
    const node = findNode(this.#disk.tree.root, path);
    if (isSkipped || node === undefined) return;
    if (node.kind === 'directory') throw new FileSystemError('EISDIR', 'remove', path);
    this.#unlink(this.#entry('remove', path), node);
  }

  async removeTree(path: string): Promise<void> {
    const { isSkipped } = await this.begin('remove', path);
    const node = findNode(this.#disk.tree.root, path);
    if (isSkipped || node === undefined) return;
    this.#unlink(this.#entry('remove', path), node);
  }

  async syncDirectory(path: string): Promise<void> {
    const { isSkipped } = await this.begin('sync-directory', path);
    const directory = this.#directory('sync-directory', path);
    if (!isSkipped) this.#disk.tree.sync(directory);
  }

  async freeBytes(path: string): Promise<number> {
    await this.begin('free-bytes', path);
    return this.#disk.freeBytes;
  }

  async lock(path: string): Promise<DirectoryLock | undefined> {
    await this.begin('lock', path);
    if (findNode(this.#disk.tree.root, path) === undefined) this.#create(path);
    if (this.#disk.locks.has(path)) return undefined;
    const holder = Symbol(path);
    this.#disk.locks.set(path, holder);
    return {
      release: () => {
        if (this.#disk.locks.get(path) === holder) this.#disk.locks.delete(path);
        return Promise.resolve();
      },
    };
  }

  /**
   * What every operation goes through first, those of handles too: is the process alive, which
   * faults hit, how long does it take. Throws the fault that says so; returns what else it asks for.
   */
  async begin(kind: FileOperationKind, path: string, bytes = 0): Promise<CombinedFault> {
    this.#checkAlive(kind, path);
    const operation: FileOperation = { kind, path, bytes };
    this.#disk.count(kind);
    const fault = this.#disk.faults.match(operation);
    const delayMs = fault.delayMs + (this.#disk.latency?.(operation) ?? 0);
    if (delayMs > 0) await this.#wait(delayMs);
    for (const released of fault.waitFor) await released;
    this.#checkAlive(kind, path);
    if (fault.errno !== undefined) throw new FileSystemError(fault.errno, kind, path);
    return fault;
  }

  /** The wall clock of the process; 0 without one. */
  wall(): number {
    return this.#clock?.wall() ?? 0;
  }

  #checkAlive(kind: FileOperationKind, path: string): void {
    if (this.#isEnded) throw new FileSystemError('EBADF', kind, path);
  }

  #wait(ms: number): Promise<void> {
    const clock = this.#clock;
    invariant(clock !== undefined, 'a slow disk is mounted with a clock');
    return new Promise((resolve) => {
      clock.after(ms, resolve);
    });
  }

  #create(path: string): MemoryFile {
    const at = this.#entry('open', path);
    const file = new MemoryFile();
    file.modifiedMs = this.wall();
    this.#disk.tree.link(at, file);
    return file;
  }

  /** Depth first, entry by entry, as a power loss may find it half done. */
  #unlink(at: TreeEntry, node: TreeNode): void {
    if (node.kind === 'directory') {
      for (const [name, child] of node.entries) this.#unlink({ directory: node, name }, child);
    } else {
      this.#release(node);
    }
    this.#disk.tree.unlink(at, node);
  }

  /** The file's space is free again; open handles still work. */
  #release(file: MemoryFile): void {
    this.#disk.usedBytes -= file.size;
    file.isLinked = false;
  }

  #entry(operation: string, path: string): TreeEntry {
    const names = pathNames(path);
    const name = names.pop();
    if (name === undefined) throw new FileSystemError('EBUSY', operation, path);
    return { directory: this.#directory(operation, `/${names.join('/')}`), name };
  }

  #directory(operation: string, path: string): MemoryDirectory {
    const node = findNode(this.#disk.tree.root, path);
    if (node === undefined) throw new FileSystemError('ENOENT', operation, path);
    if (node.kind === 'file') throw new FileSystemError('ENOTDIR', operation, path);
    return node;
  }
}

function refusalToReplace(replaced: TreeNode, by: TreeNode): string | undefined {
  if (replaced.kind === 'file') return by.kind === 'file' ? undefined : 'ENOTDIR';
  if (by.kind === 'file') return 'EISDIR';
  return replaced.entries.size > 0 ? 'ENOTEMPTY' : undefined;
}
