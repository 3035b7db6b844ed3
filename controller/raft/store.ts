/**
 * The durable part of a quorum member over a synced key-value store: term and vote, log, snapshot.
 *
 * Invariants: (1) what one step persists is one commit: all of it or nothing; (2) when `persist`
 * resolves it is flushed; (3) each write of the log also writes its bounds, so that a log that ends
 * early is recognised as damaged and never taken for a short one (rules B4.12, B4.15).
 */
import { type LogIndex, logIndex } from '../../proto/model/offset.ts';
import type { KeyValueChange, KeyValueStore } from '../../proto/ports/key-value.ts';
import type { PersistEffect, Snapshot } from './core/effects.ts';
import type { LogPosition } from './core/entry.ts';
import type { StoreRules } from './core/store-rules.ts';
import { type LoadedQuorum, loadQuorum, type QuorumRecovery } from './store-load.ts';
import {
  boundsKey,
  boundsRow,
  chunkKey,
  entryKey,
  entryRow,
  hardStateKey,
  hardStateRow,
  type LogBounds,
  snapshotKey,
  snapshotRow,
} from './store-rows.ts';

/** Bytes of a snapshot in one row. */
const chunkBytes = 1024 * 1024;

export interface QuorumStore {
  readonly loaded: LoadedQuorum;
  readonly recovery: QuorumRecovery;
  /** Flushes all effects as one change. A rejection is fatal: the disk is not to be trusted (B5.2). */
  persist(effects: readonly PersistEffect[]): Promise<void>;
}

/** Reads what is there, marks damage durably before anybody can vote, and goes on from there. */
export async function openQuorumStore(
  store: KeyValueStore,
  rules?: StoreRules,
): Promise<QuorumStore> {
  const { loaded, recovery, repairs } = loadQuorum(store, rules);
  if (repairs.length > 0) await store.commit(repairs);
  const last = loaded.entries.at(-1)?.index ?? loaded.base.index;
  let bounds: LogBounds = { base: loaded.base, lastIndex: last };
  return {
    loaded,
    recovery,
    persist(effects) {
      const change = new QuorumChange(bounds);
      for (const effect of effects) change.add(effect);
      bounds = change.bounds;
      return store.commit(change.changes());
    },
  };
}

/** The effects of one step as one list of changes. */
class QuorumChange {
  readonly #changes: KeyValueChange[] = [];
  #durableBefore: LogIndex;
  #base: LogPosition;
  #lastIndex: LogIndex;
  #hardState: Buffer | undefined;

  constructor(bounds: LogBounds) {
    this.#base = bounds.base;
    this.#lastIndex = bounds.lastIndex;
    this.#durableBefore = bounds.lastIndex;
  }

  get bounds(): LogBounds {
    return { base: this.#base, lastIndex: this.#lastIndex };
  }

  add(effect: PersistEffect): void {
    switch (effect.kind) {
      case 'persist-hard-state':
        this.#hardState = hardStateRow(effect.hard);
        return;
      case 'cut':
        this.#removeEntries(effect.from, this.#lastIndex);
        this.#lastIndex = logIndex(effect.from - 1);
        // What takes the place of a cut entry follows what is kept, not what was there.
        this.#durableBefore = logIndex(Math.min(this.#durableBefore, effect.from - 1));
        return;
      case 'append':
        for (const entry of effect.entries) {
          this.#put('quorum-log', entryKey(entry.index), entryRow(entry, this.#durableBefore));
          this.#lastIndex = entry.index;
        }
        return;
      case 'save-snapshot':
        this.#saveSnapshot(effect.snapshot);
        this.#removeEntries(this.#base.index + 1, effect.trimTo.index);
        this.#base = effect.trimTo;
        return;
      case 'install-snapshot':
        this.#saveSnapshot(effect.snapshot);
        this.#removeEntries(0, Number.MAX_SAFE_INTEGER);
        this.#base = { index: effect.snapshot.index, term: effect.snapshot.term };
        this.#lastIndex = effect.snapshot.index;
        return;
    }
  }

  changes(): readonly KeyValueChange[] {
    this.#put('quorum', boundsKey, boundsRow(this.bounds));
    if (this.#hardState !== undefined) this.#put('quorum', hardStateKey, this.#hardState);
    return this.#changes;
  }

  #put(table: string, key: Buffer, value: Buffer): void {
    this.#changes.push({ table, key, value });
  }

  #removeEntries(from: number, to: number): void {
    if (to < from) return;
    this.#changes.push({
      table: 'quorum-log',
      key: entryKey(from),
      removeTo: entryKey(Math.min(to + 1, Number.MAX_SAFE_INTEGER)),
    });
  }

  #saveSnapshot(snapshot: Snapshot): void {
    const chunks = Math.ceil(snapshot.bytes / chunkBytes);
    this.#changes.push({
      table: 'quorum-snapshot',
      key: entryKey(0),
      removeTo: entryKey(Number.MAX_SAFE_INTEGER),
    });
    for (let chunk = 0; chunk < chunks; chunk++) {
      const from = chunk * chunkBytes;
      const data = snapshot.data.subarray(from, from + chunkBytes);
      this.#put('quorum-snapshot', chunkKey(snapshot.index, chunk), Buffer.from(data));
    }
    this.#put('quorum', snapshotKey, snapshotRow(snapshot, chunks));
  }
}
