/**
 * What the quorum replicates for: a deterministic state machine (rule B4.13), fed in order, and
 * replaced by its own snapshot when the log before it has grown.
 */
import { invariant } from '../../proto/model/invariant.ts';
import { type LogIndex, logIndex } from '../../proto/model/offset.ts';
import { crc32c } from '../../proto/wire/crc32c.ts';
import type { Snapshot } from './core/effects.ts';
import { entryBytes, type LogEntry } from './core/entry.ts';
import type { TakenSnapshot } from './core/snapshot-take.ts';

export interface QuorumStateMachine {
  /** Folds committed entries, in order. Entries of kind `noop` and `config` change nothing. */
  apply(entries: readonly LogEntry[]): void;
  /** Replaces everything by what `snapshot` returned at `index`, here or at another member. */
  restore(data: Uint8Array, index: LogIndex): void;
  /** All of the state as bytes. */
  snapshot(): Uint8Array;
}

export class StateMachineDriver {
  readonly #machine: QuorumStateMachine;
  readonly #snapshotEveryBytes: number;
  #appliedIndex = logIndex(0);
  /** Applied since the last snapshot. */
  #bytes = 0;

  constructor(machine: QuorumStateMachine, snapshotEveryBytes: number) {
    this.#machine = machine;
    this.#snapshotEveryBytes = snapshotEveryBytes;
  }

  get appliedIndex(): LogIndex {
    return this.#appliedIndex;
  }

  restore({ data, index }: Snapshot): void {
    this.#machine.restore(data, index);
    this.#appliedIndex = index;
    this.#bytes = 0;
  }

  apply(entries: readonly LogEntry[]): void {
    const last = entries.at(-1);
    if (last === undefined) return;
    invariant(entries[0]?.index === this.#appliedIndex + 1, 'entries are applied in order, once');
    this.#machine.apply(entries);
    this.#appliedIndex = last.index;
    for (const entry of entries) this.#bytes += entryBytes(entry);
  }

  /** A snapshot at the applied index, if enough was applied since the last. */
  maybeSnapshot(): TakenSnapshot | undefined {
    if (this.#bytes < this.#snapshotEveryBytes) return undefined;
    this.#bytes = 0;
    const data = this.#machine.snapshot();
    return { index: this.#appliedIndex, data, checksum: crc32c(data) };
  }
}
