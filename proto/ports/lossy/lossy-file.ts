/**
 * One file of a LossyFileSystem: the real file below holds what was synced, and this process's
 * memory the changes since. A killed process takes them with it, as a power loss would.
 */
import { type FileHandle, writeAll } from '../file-system.ts';

interface UnsyncedChange {
  readonly kind: 'write' | 'resize';
  readonly position: number;
  readonly bytes: Uint8Array;
}

const nothing = new Uint8Array(0);

export class LossyFile {
  readonly #inner: FileHandle;
  /** Handles that are open; the file below closes with the last one, once all is synced. */
  openCount = 0;
  #size: number;
  #unsynced: UnsyncedChange[] = [];
  #lastSync: Promise<void> = Promise.resolve();

  constructor(inner: FileHandle, size: number) {
    this.#inner = inner;
    this.#size = size;
  }

  get size(): number {
    return this.#size;
  }

  get hasUnsynced(): boolean {
    return this.#unsynced.length > 0;
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    // Taken before the read: a sync may end meanwhile, and replaying what it wrote changes nothing.
    const changes = [...this.#unsynced];
    const count = Math.max(0, Math.min(target.length, this.#size - position));
    const view = target.subarray(0, count);
    const read = await this.#inner.read(view, position);
    view.fill(0, read);
    for (const change of changes) replay(view, position, change);
    return count;
  }

  write(buffers: readonly Uint8Array[], position: number): number {
    const bytes = Buffer.concat(buffers);
    if (bytes.length > 0) this.#unsynced.push({ kind: 'write', position, bytes });
    if (bytes.length > 0) this.#size = Math.max(this.#size, position + bytes.length);
    return bytes.length;
  }

  resize(length: number): void {
    this.#unsynced.push({ kind: 'resize', position: length, bytes: nothing });
    this.#size = length;
  }

  /** Brings the changes made so far to the disk, in order. */
  sync(): Promise<void> {
    const changes = [...this.#unsynced];
    const previous = this.#lastSync;
    const synced = (async () => {
      await previous;
      for (const change of changes) {
        if (!this.#unsynced.includes(change)) continue; // An earlier sync has written it.
        if (change.kind === 'resize') await this.#inner.truncate(change.position);
        else await writeAll(this.#inner, [change.bytes], change.position);
      }
      await this.#inner.sync();
      const done = new Set(changes);
      this.#unsynced = this.#unsynced.filter((change) => !done.has(change));
    })();
    this.#lastSync = synced;
    return synced;
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

/** Applies a change to the part of the file that `view` shows from `start` on. */
function replay(view: Uint8Array, start: number, change: UnsyncedChange): void {
  if (change.kind === 'resize') {
    view.fill(0, Math.max(0, Math.min(view.length, change.position - start)));
    return;
  }
  const from = Math.max(start, change.position);
  const to = Math.min(start + view.length, change.position + change.bytes.length);
  if (from >= to) return;
  view.set(change.bytes.subarray(from - change.position, to - change.position), from - start);
}
