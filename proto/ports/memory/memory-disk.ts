/**
 * A disk in memory: it outlives the processes that mount it, and a power loss leaves of it one of
 * the images that the contract of the file-system port allows.
 *
 * Each start of a node mounts the disk anew. A kill or a crash ends all mounts for ever, so code of
 * the dead process that still runs cannot touch what its successor writes.
 */
import { invariant } from '../../model/invariant.ts';
import type { Clock } from '../clock.ts';
import type { Random } from '../random.ts';
import { DirectoryTree, findNode } from './directory-tree.ts';
import { DiskFaults, type FileOperation, type FileOperationKind } from './disk-faults.ts';
import type { CrashMode, MemoryFile } from './memory-file.ts';
import { MemoryFileSystem } from './memory-file-system.ts';

/** Milliseconds that an operation takes; 0 is "at once". Needs a mount with a clock. */
export type DiskLatency = (operation: FileOperation) => number;

/** A write that has begun and not ended: a crash may find it done. */
export interface WriteInFlight {
  readonly file: MemoryFile;
  readonly buffers: readonly Uint8Array[];
  readonly position: number;
}

export class MemoryDisk {
  readonly tree = new DirectoryTree();
  readonly faults = new DiskFaults();
  /** Bytes of all files together, holes included. Growth beyond it is a short write, then ENOSPC. */
  capacityBytes = 2 ** 40;
  latency: DiskLatency | undefined;
  /** Bytes of all visible files. Kept by the mounts. */
  usedBytes = 0;
  /** Paths of held locks, each with a token of its holder. */
  readonly locks = new Map<string, symbol>();
  readonly writesInFlight = new Set<WriteInFlight>();
  readonly #mounts = new Set<MemoryFileSystem>();
  readonly #counts = new Map<FileOperationKind, number>();

  get freeBytes(): number {
    return Math.max(0, this.capacityBytes - this.usedBytes);
  }

  /** The file system as one process sees it, until that process ends. */
  mount(clock?: Clock): MemoryFileSystem {
    const mounted = new MemoryFileSystem(this, clock);
    this.#mounts.add(mounted);
    return mounted;
  }

  /** How many operations of a kind were begun, failed ones included. */
  countOf(kind: FileOperationKind): number {
    return this.#counts.get(kind) ?? 0;
  }

  /** The process ends, however it does: the kernel keeps everything that was written. */
  killProcess(): void {
    for (const mounted of this.#mounts) mounted.end();
    this.#mounts.clear();
    this.locks.clear();
    this.writesInFlight.clear();
  }

  /** The machine loses its power: only what was synced is certain. */
  crash(random: Random, mode: CrashMode = 'random'): void {
    for (const { file, buffers, position } of this.writesInFlight) {
      file.write(Buffer.concat(buffers), position);
    }
    this.killProcess();
    this.tree.crash(random, mode);
    this.usedBytes = 0;
    for (const file of this.tree.syncedFiles()) {
      file.crash(random, mode);
      file.isLinked = true;
      this.usedBytes += file.size;
    }
  }

  /** The file at a path, for a look from outside or for damage. */
  file(path: string): MemoryFile {
    const node = findNode(this.tree.root, path);
    invariant(node?.kind === 'file', `there is a file at ${path}`);
    return node;
  }

  /** Damage from below: the file has these bytes, durably, whatever was written. */
  replaceContent(path: string, content: Uint8Array): void {
    const file = this.file(path);
    this.usedBytes += content.length - file.size;
    file.replace(content);
  }

  /** Called by mounts for each operation. */
  count(kind: FileOperationKind): void {
    this.#counts.set(kind, this.countOf(kind) + 1);
  }
}
