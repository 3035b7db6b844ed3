/**
 * Key-value stores in LMDB: one environment per store, one named database per table.
 *
 * Commits that wait while a flush is under way go together into the next one: a group commit with a
 * single transaction in flight, so that their order is the order of the calls. Overlapping syncs are
 * off: with them a put that was rejected is visible, and the promise of its flush never settles
 * (seen after EIO). After an error or a flush that hangs the store takes nothing more (rule B5.2).
 */
import { closeSync, fdatasyncSync, fsyncSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
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

export interface LmdbOptions {
  readonly clock: Clock;
  /** A flush that takes longer has failed, as on a disk that hangs (rule B5.9). */
  readonly flushMsMax?: number;
}

type Table = Database<Buffer, Uint8Array>;

interface Commit {
  readonly changes: readonly KeyValueChange[];
  readonly resolve: () => void;
  readonly reject: (error: HighwaterError) => void;
}

const flushMsMaxDefault = 10_000;
const dataFile = 'data.mdb';

export function lmdbKeyValueOpener(options: LmdbOptions): KeyValueOpener {
  return {
    open: async (directory, { durability, tables }) => {
      await Promise.resolve();
      mkdirSync(directory, { recursive: true });
      const environment = openEnvironment(directory, durability, tables.length);
      const opened = new Map(tables.map((name) => [name, openTable(environment, name)]));
      // The names of new files must be as durable as what is committed to them.
      syncPath(directory);
      syncPath(dirname(directory));
      return new LmdbKeyValueStore(directory, environment, opened, options);
    },
    wipe: async (directory) => {
      await Promise.resolve();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

class LmdbKeyValueStore implements KeyValueStore {
  readonly #directory: string;
  readonly #environment: RootDatabase;
  readonly #tables: ReadonlyMap<string, Table>;
  readonly #options: LmdbOptions;
  /** Called and not yet handed to LMDB, oldest first. */
  #waiting: Commit[] = [];
  /** Settles when nothing waits and nothing is in flight. Undefined when so. */
  #flushing: Promise<void> | undefined;
  #state: 'open' | 'closed' = 'open';
  /** For good: no later flush is tried. */
  #hasFailed = false;

  constructor(
    directory: string,
    environment: RootDatabase,
    tables: ReadonlyMap<string, Table>,
    options: LmdbOptions,
  ) {
    this.#directory = directory;
    this.#environment = environment;
    this.#tables = tables;
    this.#options = options;
  }

  get(table: string, key: Uint8Array): Buffer | undefined {
    this.#checkOpen();
    checkKey(key);
    return this.#table(table).getBinary(key);
  }

  range(table: string, range: KeyRange): Iterable<KeyValueEntry> {
    this.#checkOpen();
    return this.#read(table, range);
  }

  #read(table: string, range: KeyRange): KeyValueEntry[] {
    const { from, to, limit } = range;
    const isReverse = range.reverse === true;
    // LMDB starts at the upper end when it goes backwards; the range stays half open.
    const bounds = isReverse
      ? { start: to, exclusiveStart: true, end: from, inclusiveEnd: true }
      : { start: from, end: to };
    const found = this.#table(table).getRange({
      ...defined({ ...bounds, limit }),
      reverse: isReverse,
    });
    return [...found].map(({ key, value }) => ({
      key: Buffer.from(key),
      value: Buffer.from(value),
    }));
  }

  commit(changes: readonly KeyValueChange[]): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      this.#checkOpen();
      for (const { table, key } of changes) {
        checkKey(key);
        this.#table(table);
      }
      this.#waiting.push({ changes, resolve, reject });
      this.#flushing ??= this.#flushAll();
    });
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    await this.#flushing;
    if (this.#hasFailed) return; // Closing would wait for the hanging flush; the process ends anyway.
    await this.#environment.close();
    syncPath(join(this.#directory, dataFile));
  }

  async #flushAll(): Promise<void> {
    await Promise.resolve(); // What else this turn commits goes into the same flush.
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      const failure = this.#hasFailed ? this.#failure() : await this.#flush(group);
      if (failure !== undefined) this.#hasFailed = true;
      for (const { resolve, reject } of group) {
        if (failure === undefined) resolve();
        else reject(failure);
      }
    }
    this.#flushing = undefined;
  }

  /** One transaction; returns why it failed, if it did. */
  async #flush(group: readonly Commit[]): Promise<HighwaterError | undefined> {
    const flushMsMax = this.#options.flushMsMax ?? flushMsMaxDefault;
    const flushed = this.#environment
      .batch(() => {
        this.#write(group.flatMap(({ changes }) => changes));
      })
      .then(() => undefined)
      .catch(async (error: unknown) => this.#failure(await causeOf(error)));
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(flushMsMax, () =>
        resolve(this.#failure(new Error(`no flush within ${flushMsMax} ms`))),
      );
      void flushed.then((failure) => {
        timer.cancel();
        resolve(failure);
      });
    });
  }

  /** Inside a batch. Reads see what earlier flushes left and nothing of this batch. */
  #write(changes: readonly KeyValueChange[]): void {
    const written = new Map<string, Uint8Array[]>();
    for (const change of changes) {
      const table = this.#table(change.table);
      const puts = written.get(change.table) ?? [];
      if ('removeTo' in change) {
        const { key: from, removeTo } = change;
        for (const { key } of this.#read(change.table, { from, to: removeTo })) {
          void table.remove(key).catch(() => {});
        }
        for (const key of puts) {
          const isInside = Buffer.compare(key, from) >= 0 && Buffer.compare(key, removeTo) < 0;
          if (isInside) void table.remove(key).catch(() => {});
        }
      } else if (change.value === undefined) {
        void table.remove(change.key).catch(() => {});
      } else {
        void table.put(change.key, Buffer.from(change.value)).catch(() => {});
        written.set(change.table, puts);
        puts.push(change.key);
      }
    }
  }

  #table(name: string): Table {
    const table = this.#tables.get(name);
    invariant(table !== undefined, `the store was opened with a table ${name}`);
    return table;
  }

  #checkOpen(): void {
    if (this.#hasFailed) throw this.#failure();
    if (this.#state === 'closed') {
      throw new HighwaterError('CLOSED', `${this.#directory} is closed`);
    }
  }

  #failure(cause?: unknown): HighwaterError {
    const reason = cause === undefined ? 'it failed before' : HighwaterError.from(cause).message;
    return new HighwaterError('STORAGE_ERROR', `commit ${this.#directory}: ${reason}`, { cause });
  }
}

function openEnvironment(
  directory: string,
  durability: KeyValueDurability,
  tableCount: number,
): RootDatabase {
  return open({
    path: join(directory, dataFile),
    maxDbs: tableCount + 1,
    overlappingSync: false,
    // Each flush is one explicit batch. LMDB's own batch of a turn would reject a promise of its own
    // that nobody can catch.
    eventTurnBatching: false,
    noSync: durability === 'unsynced',
  });
}

function openTable(environment: RootDatabase, name: string): Table {
  return environment.openDB<Buffer, Uint8Array>(name, {
    encoding: 'binary',
    keyEncoding: 'binary',
    cache: false,
  });
}

/** LMDB rejects with a promise inside that rejects with the reason, and that must be caught too. */
async function causeOf(error: unknown): Promise<unknown> {
  const { commitError } = error as { readonly commitError?: Promise<unknown> };
  if (!(commitError instanceof Promise)) return error;
  return commitError.then(
    () => error,
    (reason: unknown) => reason,
  );
}

/** Without the properties that are undefined. */
function defined<Shape extends object>(
  shape: Shape,
): { [Key in keyof Shape]: NonNullable<Shape[Key]> } {
  const kept = Object.entries(shape).filter(([, value]) => value !== undefined);
  return Object.fromEntries(kept) as { [Key in keyof Shape]: NonNullable<Shape[Key]> };
}

function syncPath(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    if (path.endsWith(dataFile)) fdatasyncSync(descriptor);
    else fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
