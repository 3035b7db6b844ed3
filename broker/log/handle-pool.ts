/**
 * Open files, shared and bounded. A log that is read or written leases a handle; an idle handle is
 * kept for a while and closed when there are too many. So ten thousand idle logs hold none, and a
 * cold read does not open its file each time.
 *
 * A file with unflushed bytes must stay leased until it is flushed: a write-back error is reported
 * to the handles that were open when it happened, and a later one may never hear of it.
 */
import { invariant } from '../../proto/model/invariant.ts';
import type { FileHandle, FileSystem } from '../../proto/ports/file-system.ts';

/** A right to use an open file until it is given back. */
export interface HandleLease {
  readonly handle: FileHandle;
  /** A lease of its own on the same file, at once; only while this one is held. */
  again(): HandleLease;
  release(): void;
}

interface PooledHandle {
  readonly path: string;
  opening: Promise<FileHandle>;
  leases: number;
}

/** One per data directory. */
export class HandlePool {
  readonly #fs: FileSystem;
  readonly #idleMax: number;
  /** Least recently used first. */
  readonly #open = new Map<string, PooledHandle>();
  #idle = 0;

  constructor(fs: FileSystem, idleMax: number) {
    this.#fs = fs;
    this.#idleMax = idleMax;
  }

  /** How many files are open. */
  get size(): number {
    return this.#open.size;
  }

  /** Opens the file for reading and writing, or shares the handle that is open already. */
  async lease(path: string, mode: 'write' | 'create'): Promise<HandleLease> {
    const known = this.#open.get(path);
    if (known?.leases === 0) this.#idle--;
    const pooled = known ?? this.#begin(path, mode);
    pooled.leases++;
    return this.#leaseOf(pooled, await pooled.opening);
  }

  #leaseOf(pooled: PooledHandle, handle: FileHandle): HandleLease {
    let isHeld = true;
    return {
      handle,
      again: () => {
        invariant(isHeld, 'a lease is shared while it is held');
        pooled.leases++;
        return this.#leaseOf(pooled, handle);
      },
      release: () => {
        invariant(isHeld, 'a lease is given back once');
        isHeld = false;
        this.#giveBack(pooled);
      },
    };
  }

  /**
   * For a file that is renamed or removed: the next lease opens whatever is at the path then. A
   * reader that still holds a lease reads on, and the file is closed when it is done.
   */
  async forget(path: string): Promise<void> {
    const pooled = this.#open.get(path);
    if (pooled === undefined) return;
    this.#open.delete(path);
    if (pooled.leases > 0) return;
    this.#idle--;
    await closeQuietly(pooled);
  }

  /** The same for all files of these folders, before logs made anew there open files of these names. */
  async forgetFolders(folders: ReadonlySet<string>): Promise<void> {
    for (const path of [...this.#open.keys()]) {
      if (folders.has(path.slice(0, path.lastIndexOf('/')))) await this.forget(path);
    }
  }

  /** Closes everything; called once, when nothing is in use. */
  async close(): Promise<void> {
    const all = [...this.#open.values()];
    this.#open.clear();
    this.#idle = 0;
    for (const pooled of all) await closeQuietly(pooled);
  }

  #begin(path: string, mode: 'write' | 'create'): PooledHandle {
    const pooled = { path, opening: this.#fs.open(path, mode), leases: 0 };
    this.#open.set(path, pooled);
    pooled.opening.catch(() => {
      // Another may have been opened at this path meanwhile.
      if (this.#open.get(path) === pooled) this.#open.delete(path);
    });
    return pooled;
  }

  #giveBack(pooled: PooledHandle): void {
    pooled.leases--;
    if (pooled.leases > 0) return;
    if (this.#open.get(pooled.path) !== pooled) {
      void closeQuietly(pooled);
      return;
    }
    // To the end of the order: most recently used.
    this.#open.delete(pooled.path);
    this.#open.set(pooled.path, pooled);
    this.#idle++;
    if (this.#idle > this.#idleMax) this.#closeOldestIdle();
  }

  #closeOldestIdle(): void {
    for (const [path, pooled] of this.#open) {
      if (pooled.leases > 0) continue;
      this.#open.delete(path);
      this.#idle--;
      void closeQuietly(pooled);
      return;
    }
  }
}

/** A handle without unflushed bytes loses nothing when closing it fails. */
async function closeQuietly(pooled: PooledHandle): Promise<void> {
  await pooled.opening.then((handle) => handle.close()).catch(() => undefined);
}
