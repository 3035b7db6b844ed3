/**
 * The directories of an in-memory disk. As with files there are two images: the entries that
 * processes see and the entries that are certainly on the platter. A create, rename or remove is
 * durable once every directory it touches was synced after it; until then a power loss undoes any
 * subset of them. A rename is atomic either way.
 */
import type { Random } from '../random.ts';
import type { CrashMode, MemoryFile } from './memory-file.ts';

export type TreeNode = MemoryFile | MemoryDirectory;

export interface MemoryDirectory {
  readonly kind: 'directory';
  modifiedMs: number;
  readonly entries: Map<string, TreeNode>;
  readonly synced: Map<string, TreeNode>;
}

/** A place in the tree: the directory that holds, or may hold, the name. */
export interface TreeEntry {
  readonly directory: MemoryDirectory;
  readonly name: string;
}

interface EntryChange {
  readonly link: TreeEntry | undefined;
  readonly unlink: TreeEntry | undefined;
  readonly node: TreeNode;
  /** Directories still to be synced before the change is durable. */
  readonly unsynced: Set<MemoryDirectory>;
}

export class DirectoryTree {
  readonly root: MemoryDirectory = makeDirectory();
  #changes: EntryChange[] = [];

  link(at: TreeEntry, node: TreeNode): void {
    this.#change({ link: at, unlink: undefined, node, unsynced: new Set([at.directory]) });
  }

  unlink(at: TreeEntry, node: TreeNode): void {
    this.#change({ link: undefined, unlink: at, node, unsynced: new Set([at.directory]) });
  }

  rename(from: TreeEntry, to: TreeEntry, node: TreeNode): void {
    const unsynced = new Set([from.directory, to.directory]);
    this.#change({ link: to, unlink: from, node, unsynced });
  }

  /** Makes the changes in a directory durable, as far as it alone decides. */
  sync(directory: MemoryDirectory): void {
    this.#changes = this.#changes.filter((change) => {
      change.unsynced.delete(directory);
      if (change.unsynced.size > 0) return true;
      apply(change, 'synced');
      return false;
    });
  }

  /** The power is lost: some unsynced changes happened and some did not. */
  crash(random: Random, mode: CrashMode): void {
    const kept = mode === 'prefix' ? random.below(this.#changes.length + 1) : 0;
    for (const [index, change] of this.#changes.entries()) {
      const isKept =
        mode === 'keep' ||
        (mode === 'prefix' && index < kept) ||
        (mode === 'random' && random.below(2) === 0);
      if (isKept) apply(change, 'synced');
    }
    this.#changes = [];
    for (const directory of this.#directories()) {
      directory.entries.clear();
      for (const [name, node] of directory.synced) directory.entries.set(name, node);
    }
  }

  /** Every file that the durable entries reach, in a stable order. */
  *syncedFiles(): Iterable<MemoryFile> {
    for (const directory of this.#directories()) {
      for (const node of directory.synced.values()) {
        if (node.kind === 'file') yield node;
      }
    }
  }

  *#directories(): Iterable<MemoryDirectory> {
    const open: MemoryDirectory[] = [this.root];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      yield next;
      for (const node of next.synced.values()) if (node.kind === 'directory') open.push(node);
    }
  }

  #change(change: EntryChange): void {
    apply(change, 'entries');
    this.#changes.push(change);
  }
}

/** An empty directory that nothing refers to yet. */
export function makeDirectory(): MemoryDirectory {
  return { kind: 'directory', modifiedMs: 0, entries: new Map(), synced: new Map() };
}

/** A path's names; paths are absolute and plain. */
export function pathNames(path: string): string[] {
  return path.split('/').filter((name) => name !== '');
}

/** What is at a path in the visible tree. */
export function findNode(root: MemoryDirectory, path: string): TreeNode | undefined {
  let node: TreeNode | undefined = root;
  for (const name of pathNames(path)) {
    if (node?.kind !== 'directory') return undefined;
    node = node.entries.get(name);
  }
  return node;
}

function apply(change: EntryChange, image: 'entries' | 'synced'): void {
  const { link, unlink, node } = change;
  if (link !== undefined) link.directory[image].set(link.name, node);
  // With an earlier change lost, the name may stand for another node by now: leave that one alone.
  if (unlink !== undefined && unlink.directory[image].get(unlink.name) === node) {
    unlink.directory[image].delete(unlink.name);
  }
}
