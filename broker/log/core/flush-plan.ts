/**
 * How one flush round makes its bytes durable. A round that touches few files flushes them in place,
 * at one fdatasync each. A round that touches many writes its bytes once more, into the journal, and
 * pays one fdatasync for all of them; so do the small ones that follow it.
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

/**
 * Rounds for which the journal goes on after one that touched many files. Writes of many logs end one by
 * one, so between two large rounds lie small ones: to leave the journal at each would write every log by
 * itself the next time.
 */
export const journalRoundsAfterCrowd = 16;

/** How a round flushes, and for how many more rounds the journal stays in use. */
export interface FlushPlan {
  readonly way: 'in-place' | 'journal';
  readonly crowdedFor: number;
}

/** Decides for one round; `crowdedFor` is what the round before came to, 0 at first. */
export function planFlush(shares: readonly FlushShare[], crowdedFor: number): FlushPlan {
  let files = 0;
  let bytes = 0;
  for (const share of shares) {
    files += share.files;
    bytes += share.bytes;
  }
  if (bytes > files * journalBytesPerFileMax) return { way: 'in-place', crowdedFor: 0 };
  if (files > inPlaceFilesMax) return { way: 'journal', crowdedFor: journalRoundsAfterCrowd };
  if (crowdedFor > 0) return { way: 'journal', crowdedFor: crowdedFor - 1 };
  return { way: 'in-place', crowdedFor: 0 };
}
