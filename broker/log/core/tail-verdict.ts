/**
 * What recovery makes of the first bad bytes in a log: a torn tail or damage (rules B4.15, B5.5).
 *
 * Bytes that had not been stored when the power went may be missing in part: that is a torn tail, it
 * was promised to nobody, and it is cut. Bad bytes below what is known to have been stored, or
 * followed by a good batch, are damage: somebody may have been told that those records are safe, so
 * the replica is suspect, and the bytes are kept aside for repair.
 *
 * A good batch behind a bad one may also come from unflushed writes that reached the disk in another
 * order. That is indistinguishable from damage, so it counts as damage: the replica then catches up
 * from another one, which costs time and no record.
 */

/** What the scan above the recovery point has found. */
export interface TailFindings {
  /** Exclusive end, in bytes, of the good batches that follow the recovery point. */
  readonly goodTo: number;
  /** Size of the segment file. */
  readonly fileBytes: number;
  /** Bytes of the segment that are known to have been stored: recovery point or journal. */
  readonly storedTo: number;
  /** A well-formed batch of a later offset lies behind the bad bytes, in this segment or in a later one. */
  readonly goodBatchBehind: boolean;
}

/** `whole`: nothing to cut. `torn`: cut silently. `damaged`: cut, keep aside, report as suspect. */
export type TailVerdict = 'whole' | 'torn' | 'damaged';

/** Judges the end of one segment. */
export function judgeTail(found: TailFindings): TailVerdict {
  if (found.goodTo < found.storedTo || found.goodBatchBehind) return 'damaged';
  return found.goodTo === found.fileBytes ? 'whole' : 'torn';
}
