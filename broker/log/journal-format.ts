/** Entries of the flush journal. */
import type { Offset } from '../../proto/model/offset.ts';
import type { LogKey } from './log-key.ts';

/** Bytes of one log that a round writes once more: where they belong, and the bytes. */
export interface JournalEntry {
  readonly key: LogKey;
  readonly segmentBase: Offset;
  /** Byte position in the segment. */
  readonly position: number;
  readonly buffers: readonly Buffer[];
  readonly bytes: number;
}
