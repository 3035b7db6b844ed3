/** Stores whose commits meet the trouble of the moment. A store that failed once takes nothing more. */
import { HighwaterError } from '../../../proto/model/errors.ts';
import type {
  KeyRange,
  KeyValueChange,
  KeyValueOpener,
  KeyValueStore,
} from '../../../proto/ports/key-value.ts';
import type { TroubleWatch } from './trouble.ts';
import { pass } from './troubled-file-system.ts';

export function troubledKeyValueOpener(
  inner: KeyValueOpener,
  watch: Pick<TroubleWatch, 'current' | 'hit'>,
): KeyValueOpener {
  return {
    open: async (directory, options) =>
      new TroubledStore(await inner.open(directory, options), () =>
        pass(watch, 'commit', directory),
      ),
    wipe: (directory) => inner.wipe(directory),
  };
}

class TroubledStore implements KeyValueStore {
  readonly #inner: KeyValueStore;
  readonly #pass: () => Promise<void>;
  /** They wait side by side and take effect in the order of their calls; none does after one that failed. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(inner: KeyValueStore, mayCommit: () => Promise<void>) {
    this.#inner = inner;
    this.#pass = mayCommit;
  }

  get(table: string, key: Uint8Array) {
    return this.#inner.get(table, key);
  }

  range(table: string, range: KeyRange) {
    return this.#inner.range(table, range);
  }

  async commit(changes: readonly KeyValueChange[]): Promise<void> {
    const own = this.#pass().catch((cause: unknown) => {
      throw new HighwaterError('STORAGE_ERROR', 'the commit failed', { cause });
    });
    const passed = Promise.all([this.#last, own]);
    this.#last = passed;
    await passed;
    await this.#inner.commit(changes);
  }

  async close(): Promise<void> {
    await this.#last.catch(() => undefined);
    await this.#inner.close();
  }
}
