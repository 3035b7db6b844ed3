/**
 * Key-value stores in memory, with what is durable kept apart from what is visible. As with
 * MemoryDisk the storage outlives the processes that mount it.
 *
 * A commit of a `synced` store is durable exactly when its promise has resolved; a crash keeps some
 * prefix of those still in flight. An `unsynced` store may lose any suffix and, worse, single entries:
 * whoever reads it after an unclean stop instead of wiping it is meant to fail.
 */
import { HighwaterError } from '../../model/errors.ts';
import { invariant } from '../../model/invariant.ts';
import type { Clock } from '../clock.ts';
import {
  checkKey,
  type KeyRange,
  type KeyValueChange,
  type KeyValueDurability,
  type KeyValueEntry,
  type KeyValueOpener,
  type KeyValueStore,
} from '../key-value.ts';
import type { Random } from '../random.ts';
import { DiskFaults } from './disk-faults.ts';
import { SortedTables } from './sorted-tables.ts';

/**
 * When reads see a commit; the port allows both. `commit`: at once, before it is durable, as LMDB
 * with overlapping syncs does. `flush`: with the resolved promise and not before.
 */
export type CommitVisibility = 'commit' | 'flush';

/** One store on the storage, across the processes that open it. */
interface StoredTables {
  durable: SortedTables;
  durability: KeyValueDurability;
  /** Commits that a crash may lose, oldest first. */
  unflushed: (readonly KeyValueChange[])[];
}

export class MemoryKeyValueStorage {
  readonly faults = new DiskFaults();
  visibility: CommitVisibility = 'commit';
  /** Milliseconds of one flush; 0 is "at once". Needs a mount with a clock. */
  flushMs = 0;
  readonly #stores = new Map<string, StoredTables>();
  readonly #open = new Set<MemoryKeyValueStore>();
  #generation = 0;

  /** The opener as one process sees it, until that process ends. */
  mount(clock?: Clock): KeyValueOpener {
    const generation = this.#generation;
    const checkAlive = () => {
      if (generation !== this.#generation)
        throw new HighwaterError('CLOSED', 'the process is dead');
    };
    return {
      open: async (directory, options) => {
        checkAlive();
        await Promise.resolve();
        return this.#openStore(directory, options, clock);
      },
      wipe: async (directory) => {
        checkAlive();
        await Promise.resolve();
        this.#stores.delete(directory);
      },
    };
  }

  /** The process ends: commits in flight are kept if they were visible, and lost otherwise. */
  killProcess(): void {
    this.#end();
    for (const stored of this.#stores.values()) {
      if (this.visibility === 'commit' || stored.durability === 'unsynced') flushAll(stored);
      stored.unflushed = [];
    }
  }

  /** Power loss. `drop` loses every unflushed commit; `random` keeps a prefix and tears `unsynced`. */
  crash(random: Random, mode: 'drop' | 'random' = 'random'): void {
    this.#end();
    for (const stored of this.#stores.values()) {
      const kept = mode === 'drop' ? 0 : random.below(stored.unflushed.length + 1);
      for (const changes of stored.unflushed.slice(0, kept)) stored.durable.apply(changes);
      const isTorn = mode === 'random' && stored.durability === 'unsynced';
      if (isTorn && stored.unflushed.length > 0) tear(stored.durable, random);
      stored.unflushed = [];
    }
  }

  #end(): void {
    this.#generation++;
    for (const store of this.#open) store.end();
    this.#open.clear();
  }

  #openStore(
    directory: string,
    options: { readonly durability: KeyValueDurability; readonly tables: readonly string[] },
    clock: Clock | undefined,
  ): KeyValueStore {
    let stored = this.#stores.get(directory);
    if (stored === undefined) {
      stored = { durable: new SortedTables([]), durability: options.durability, unflushed: [] };
      this.#stores.set(directory, stored);
    }
    // What a killed process left in the page cache of an unsynced store is still there to be lost.
    const visible = stored.durable.copy();
    for (const changes of stored.unflushed) visible.apply(changes);
    for (const tables of [stored.durable, visible]) tables.addTables(options.tables);
    stored.durability = options.durability;
    const store = new MemoryKeyValueStore(this, directory, clock, { stored, visible });
    this.#open.add(store);
    return store;
  }
}

interface OpenTables {
  readonly stored: StoredTables;
  readonly visible: SortedTables;
}

class MemoryKeyValueStore implements KeyValueStore {
  readonly #storage: MemoryKeyValueStorage;
  readonly #directory: string;
  readonly #clock: Clock | undefined;
  readonly #stored: StoredTables;
  readonly #visible: SortedTables;
  /** The last commit that was called: the next one takes effect after it. */
  #last: Promise<void> = Promise.resolve();
  #state: 'open' | 'failed' | 'closed' | 'dead' = 'open';

  constructor(
    storage: MemoryKeyValueStorage,
    directory: string,
    clock: Clock | undefined,
    tables: OpenTables,
  ) {
    this.#storage = storage;
    this.#directory = directory;
    this.#clock = clock;
    this.#stored = tables.stored;
    this.#visible = tables.visible;
  }

  /** The process is dead: nothing works any more, and what is in flight stays so. */
  end(): void {
    this.#state = 'dead';
  }

  get(table: string, key: Uint8Array): Buffer | undefined {
    this.#checkOpen();
    checkKey(key);
    return this.#visible.get(table, key);
  }

  range(table: string, range: KeyRange): Iterable<KeyValueEntry> {
    this.#checkOpen();
    return this.#visible.range(table, range);
  }

  async commit(changes: readonly KeyValueChange[]): Promise<void> {
    this.#checkOpen();
    const copied = this.#visible.checkedCopy(changes);
    const isEarly = this.#storage.visibility === 'commit' || this.#stored.durability === 'unsynced';
    this.#stored.unflushed.push(copied);
    if (isEarly) this.#visible.apply(copied);
    const previous = this.#last;
    const flushed = this.#flush(copied, isEarly, previous);
    this.#last = flushed.catch(() => {});
    return flushed;
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    await this.#last;
    if (this.#state !== 'dead') {
      flushAll(this.#stored); // A clean close syncs, whatever the durability.
      this.#state = 'closed';
    }
  }

  async #flush(
    changes: readonly KeyValueChange[],
    isVisible: boolean,
    previous: Promise<void>,
  ): Promise<void> {
    const fault = this.#storage.faults.match({ kind: 'commit', path: this.#directory, bytes: 0 });
    const delayMs = fault.delayMs + this.#storage.flushMs;
    if (delayMs > 0) await this.#wait(delayMs);
    for (const released of fault.waitFor) await released;
    await previous;
    this.#checkOpen();
    if (fault.errno !== undefined) {
      this.#state = 'failed';
      throw new HighwaterError('STORAGE_ERROR', `commit ${this.#directory}: ${fault.errno}`);
    }
    if (!isVisible) this.#visible.apply(changes);
    if (this.#stored.durability === 'synced' && !fault.isSkipped) this.#makeDurable(changes);
  }

  #makeDurable(changes: readonly KeyValueChange[]): void {
    // Everything before it goes with it: commits become durable in order.
    const index = this.#stored.unflushed.indexOf(changes);
    for (const flushed of this.#stored.unflushed.splice(0, index + 1)) {
      this.#stored.durable.apply(flushed);
    }
  }

  #checkOpen(): void {
    if (this.#state === 'open') return;
    if (this.#state === 'failed') {
      throw new HighwaterError('STORAGE_ERROR', `${this.#directory} failed before`);
    }
    throw new HighwaterError('CLOSED', `${this.#directory} is closed`);
  }

  #wait(ms: number): Promise<void> {
    const clock = this.#clock;
    invariant(clock !== undefined, 'a slow storage is mounted with a clock');
    return new Promise((resolve) => {
      clock.after(ms, resolve);
    });
  }
}

function flushAll(stored: StoredTables): void {
  for (const changes of stored.unflushed.splice(0)) stored.durable.apply(changes);
}

/** Loses about one entry in eight, in every table. */
function tear(tables: SortedTables, random: Random): void {
  for (const table of tables.names) {
    for (const { key } of tables.range(table, {})) {
      if (random.below(8) === 0) tables.apply([{ table, key, value: undefined }]);
    }
  }
}
