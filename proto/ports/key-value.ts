import { invariant } from '../model/invariant.ts';

/**
 * Ordered, transactional storage for what must be atomic: hard state, checkpoints, indexes.
 * Never holds anything per record. Keys are ordered by their bytes and have 1 to `keyBytesMax` of
 * them; values may be empty.
 */
export interface KeyValueStore {
  /** The committed value, or undefined. Reads see every commit whose promise resolved. */
  get(table: string, key: Uint8Array): Buffer | undefined;
  /** Entries with `from` <= key < `to` in key order, read from one consistent view. */
  range(table: string, range: KeyRange): Iterable<KeyValueEntry>;
  /**
   * Applies all changes or none. For a `synced` store the promise resolves once they are flushed to
   * disk and would survive a power loss; for an `unsynced` one once they are visible. Commits take
   * effect in the order of their calls. A rejection (STORAGE_ERROR) is fatal: whether the changes are
   * visible or durable is undefined, every later commit rejects too, and the node has to end.
   */
  commit(changes: readonly KeyValueChange[]): Promise<void>;
  /** Waits for the commits that were called. Afterwards every use fails with CLOSED. */
  close(): Promise<void>;
}

/** Largest key of any store, in bytes: LMDB's limit. */
export const keyBytesMax = 1978;

/** Keys have from 1 to `keyBytesMax` bytes in every store. */
export function checkKey(key: Uint8Array): void {
  if (key.length >= 1 && key.length <= keyBytesMax) return;
  invariant(false, `a key has from 1 to ${keyBytesMax} bytes, not ${key.length}`);
}

export interface KeyValueEntry {
  readonly key: Buffer;
  readonly value: Buffer;
}

export interface KeyRange {
  readonly from?: Uint8Array;
  readonly to?: Uint8Array;
  readonly reverse?: boolean;
  readonly limit?: number;
}

/** `value` undefined removes the key. With `to` all keys from `key` up to `to` (exclusive) go. */
export type KeyValueChange =
  | { readonly table: string; readonly key: Uint8Array; readonly value: Uint8Array | undefined }
  | { readonly table: string; readonly key: Uint8Array; readonly removeTo: Uint8Array };

/** `synced`: a commit is durable. `unsynced`: may be lost, even torn, by a power loss; rebuildable data only. */
export type KeyValueDurability = 'synced' | 'unsynced';

/** Opens stores below a directory. `tables` is the closed list of table names. */
export interface KeyValueOpener {
  open(
    directory: string,
    options: { readonly durability: KeyValueDurability; readonly tables: readonly string[] },
  ): Promise<KeyValueStore>;
  /** Removes a store with everything in it: for `unsynced` ones after an unclean stop. */
  wipe(directory: string): Promise<void>;
}
