/** Written groups of one log that are not stored yet, oldest first: what a journal round writes again. */
import type { Offset } from '../../proto/model/offset.ts';
import { Queue } from '../../proto/model/queue.ts';
import type { JournalEntry } from './journal-format.ts';
import type { LogKey } from './log-key.ts';
import type { WriteGroup } from './segment.ts';

interface UnstoredGroup {
  readonly segmentBase: Offset;
  readonly position: number;
  /** Exclusive. */
  readonly endOffset: Offset;
  readonly group: WriteGroup;
}

export class UnstoredGroups {
  readonly #groups = new Queue<UnstoredGroup>();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  push(unstored: UnstoredGroup): void {
    this.#groups.push(unstored);
    this.#bytes += unstored.group.bytes;
  }

  /** Forgets what ends at or below an offset; returns how many bytes that was. */
  release(upTo: Offset): number {
    let bytes = 0;
    for (;;) {
      const oldest = this.#groups.at(0);
      if (oldest === undefined || oldest.endOffset > upTo) break;
      bytes += oldest.group.bytes;
      this.#groups.shift();
    }
    this.#bytes -= bytes;
    return bytes;
  }

  clear(): void {
    this.#groups.clear();
    this.#bytes = 0;
  }

  /** One entry per run of groups that lie behind each other in one segment. */
  journalEntries(key: LogKey): JournalEntry[] {
    const entries: JournalEntry[] = [];
    for (const { segmentBase, position, group } of this.#groups) {
      const last = entries.at(-1);
      if (last?.segmentBase === segmentBase && last.position + last.bytes === position) {
        entries[entries.length - 1] = {
          ...last,
          buffers: [...last.buffers, ...group.buffers],
          bytes: last.bytes + group.bytes,
        };
      } else {
        entries.push({ key, segmentBase, position, buffers: group.buffers, bytes: group.bytes });
      }
    }
    return entries;
  }
}
