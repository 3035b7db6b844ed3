/**
 * Key-value stores for real test processes in which kill -9 is a power loss: a commit is visible at
 * once in memory and reaches the store below when it is flushed; an `unsynced` store reaches it only
 * at a clean close. Holds whole stores in memory: for tests only.
 */

import { HighwaterError } from '../../model/errors.ts';
import type { KeyRange, KeyValueChange, KeyValueOpener, KeyValueStore } from '../key-value.ts';
import { checkKey } from '../key-value.ts';
import { SortedTables } from '../memory/sorted-tables.ts';

export function lossyKeyValueOpener(inner: KeyValueOpener): KeyValueOpener {
  return {
    open: async (directory, options) => {
      const store = await inner.open(directory, options);
      const visible = new SortedTables(options.tables);
      for (const table of options.tables) {
        const changes = [...store.range(table, {})].map((entry) => ({ table, ...entry }));
        visible.apply(changes);
      }
      return new LossyKeyValueStore(store, visible, options.durability === 'synced');
    },
    wipe: (directory) => inner.wipe(directory),
  };
}

class LossyKeyValueStore implements KeyValueStore {
  readonly #inner: KeyValueStore;
  readonly #visible: SortedTables;
  readonly #isSynced: boolean;
  /** Of an unsynced store: what a clean close writes. */
  readonly #unflushed: KeyValueChange[] = [];
  #isClosed = false;

  constructor(inner: KeyValueStore, visible: SortedTables, isSynced: boolean) {
    this.#inner = inner;
    this.#visible = visible;
    this.#isSynced = isSynced;
  }

  get(table: string, key: Uint8Array) {
    this.#checkOpen();
    checkKey(key);
    return this.#visible.get(table, key);
  }

  range(table: string, range: KeyRange) {
    this.#checkOpen();
    return this.#visible.range(table, range);
  }

  async commit(changes: readonly KeyValueChange[]): Promise<void> {
    this.#checkOpen();
    const copied = this.#visible.checkedCopy(changes);
    this.#visible.apply(copied);
    if (this.#isSynced) await this.#inner.commit(copied);
    else this.#unflushed.push(...copied);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#inner.commit(this.#unflushed.splice(0));
    await this.#inner.close();
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new HighwaterError('CLOSED', 'the store is closed');
  }
}
