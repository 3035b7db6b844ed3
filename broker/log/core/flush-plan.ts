/**
 * How one flush round makes its bytes durable. A round that touches few files flushes them in place,
 * at one fdatasync each. A round that touches many writes its bytes once more, into the journal, and
 * pays one fdatasync for all of them.
 */

/** Files up to which a round flushes in place; chosen by the `log` bench. */
export const inPlaceFilesMax = 4;

/** With this many bytes for each file writing twice costs more than flushing the files. */
export const journalBytesPerFileMax = 1024 * 1024;

/** One log's share of a round. */
export interface FlushShare {
  readonly files: number;
  readonly bytes: number;
  /** Bytes that the journal does not have lie below: they must be flushed where they are. */
  readonly inPlaceOnly: boolean;
  /** False if the bytes are not in their file yet: only the journal can store them at once. */
  readonly isWritten: boolean;
}

/** Decides for one round. */
export function planFlush(shares: readonly FlushShare[]): 'in-place' | 'journal' {
  let files = 0;
  let bytes = 0;
  for (const share of shares) {
    files += share.files;
    bytes += share.bytes;
  }
  if (files <= inPlaceFilesMax) return 'in-place';
  return bytes / files > journalBytesPerFileMax ? 'in-place' : 'journal';
}
