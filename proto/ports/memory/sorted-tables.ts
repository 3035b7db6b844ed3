/**
 * Named tables of keys in byte order, in memory: the content of a key-value store.
 *
 * Keys are held as latin-1 text, one character for one byte, so that comparing text is comparing
 * bytes. A change set is applied whole; values are copied in.
 */
import { invariant } from '../../model/invariant.ts';
import { checkKey, type KeyRange, type KeyValueChange, type KeyValueEntry } from '../key-value.ts';

interface Table {
  /** Ascending, each once; exactly the keys of `values`. */
  keys: string[];
  readonly values: Map<string, Buffer>;
}

export class SortedTables {
  readonly #tables = new Map<string, Table>();

  constructor(names: Iterable<string>) {
    for (const name of names) this.#tables.set(name, { keys: [], values: new Map() });
  }

  get names(): string[] {
    return [...this.#tables.keys()];
  }

  get(table: string, key: Uint8Array): Buffer | undefined {
    const value = this.#table(table).values.get(keyText(key));
    return value === undefined ? undefined : Buffer.from(value);
  }

  /** The entries of a range at this moment. */
  range(table: string, range: KeyRange): KeyValueEntry[] {
    const { keys, values } = this.#table(table);
    const from = range.from === undefined ? 0 : lowerBound(keys, keyText(range.from));
    const to = range.to === undefined ? keys.length : lowerBound(keys, keyText(range.to));
    const chosen = keys.slice(from, Math.max(from, to));
    if (range.reverse === true) chosen.reverse();
    return chosen.slice(0, range.limit ?? chosen.length).map((key) => ({
      key: Buffer.from(key, 'latin1'),
      value: Buffer.from(values.get(key) ?? Buffer.alloc(0)),
    }));
  }

  apply(changes: readonly KeyValueChange[]): void {
    for (const change of changes) {
      const table = this.#table(change.table);
      if ('removeTo' in change) removeRange(table, keyText(change.key), keyText(change.removeTo));
      else if (change.value === undefined) removeKey(table, keyText(change.key));
      else putKey(table, keyText(change.key), Buffer.from(change.value));
    }
  }

  /** Copies a change set that fits these tables, so that the caller may use its buffers again. */
  checkedCopy(changes: readonly KeyValueChange[]): KeyValueChange[] {
    return changes.map((change) => {
      checkKey(change.key);
      this.#table(change.table);
      const { table } = change;
      const key = Buffer.from(change.key);
      if ('removeTo' in change) return { table, key, removeTo: Buffer.from(change.removeTo) };
      return { table, key, value: change.value && Buffer.from(change.value) };
    });
  }

  copy(): SortedTables {
    const copied = new SortedTables([]);
    for (const [name, { keys, values }] of this.#tables) {
      copied.#tables.set(name, { keys: [...keys], values: new Map(values) });
    }
    return copied;
  }

  /** Adds tables that are missing: a later version of the program may know more of them. */
  addTables(names: readonly string[]): void {
    for (const name of names) {
      if (!this.#tables.has(name)) this.#tables.set(name, { keys: [], values: new Map() });
    }
  }

  #table(name: string): Table {
    const table = this.#tables.get(name);
    invariant(table !== undefined, `the store was opened with a table ${name}`);
    return table;
  }
}

function keyText(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
}

/** Index of the first key that is not below `key`. */
function lowerBound(keys: readonly string[], key: string): number {
  let from = 0;
  let to = keys.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((keys[middle] ?? '') < key) from = middle + 1;
    else to = middle;
  }
  return from;
}

function putKey(table: Table, key: string, value: Buffer): void {
  if (!table.values.has(key)) table.keys.splice(lowerBound(table.keys, key), 0, key);
  table.values.set(key, value);
}

function removeKey(table: Table, key: string): void {
  if (table.values.delete(key)) table.keys.splice(lowerBound(table.keys, key), 1);
}

function removeRange(table: Table, from: string, to: string): void {
  const start = lowerBound(table.keys, from);
  const end = lowerBound(table.keys, to);
  for (const key of table.keys.splice(start, Math.max(0, end - start))) table.values.delete(key);
}
