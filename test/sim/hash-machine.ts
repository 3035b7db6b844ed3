/**
 * A replicated state that is a hash of its whole history: two members that applied the same entries
 * are equal, and any other history shows.
 */
import type { LogEntry } from '../../controller/raft/core/entry.ts';
import type { QuorumStateMachine } from '../../controller/raft/state-machine.ts';
import type { LogIndex } from '../../proto/model/offset.ts';
import { crc32c } from '../../proto/wire/crc32c.ts';

/** The state after one more entry. */
export function hashAfter(before: number, entry: LogEntry): number {
  const head = Buffer.from(`${before} ${entry.index} ${entry.term} ${entry.body.kind}`);
  return entry.body.kind === 'command' ? crc32c(entry.body.data, crc32c(head)) : crc32c(head);
}

export class HashMachine implements QuorumStateMachine {
  hash = 0;
  appliedIndex = 0;
  /** Entries applied since somebody looked. */
  readonly fresh: LogEntry[] = [];

  apply(entries: readonly LogEntry[]): void {
    this.fresh.push(...entries);
    for (const entry of entries) {
      this.hash = hashAfter(this.hash, entry);
      this.appliedIndex = entry.index;
    }
  }

  restore(data: Uint8Array, index: LogIndex): void {
    this.hash = Buffer.from(data).readUInt32BE();
    this.appliedIndex = index;
  }

  /** Padded, so that a snapshot takes several chunks. */
  snapshot(): Uint8Array {
    const data = Buffer.alloc(300, 7);
    data.writeUInt32BE(this.hash);
    return data;
  }
}
