/**
 * What recovery makes of the first bad bytes above what is known to be stored: a torn tail or damage
 * (rules B4.15, B5.5).
 *
 * Bytes that had not been stored when the power went may be missing in part: that is a torn tail, it
 * was promised to nobody, and it is cut. Bad bytes followed by a good batch are damage: somebody may
 * have been told that those records are safe, so the replica is suspect, and the bytes are kept.
 *
 * A good batch behind a bad one may also come from unflushed writes that reached the disk in another
 * order. That is indistinguishable from damage, so it counts as damage: the replica then catches up
 * from another one, which costs time and no record.
 */

/** What the scan has found. */
export interface TailFindings {
  /** Every byte belongs to a good batch. */
  readonly isWhole: boolean;
  /** A well-formed batch of a later offset lies behind the bad bytes, in this segment or a later one. */
  readonly goodBatchBehind: boolean;
}

/** `whole`: nothing to cut. `torn`: cut silently. `damaged`: cut, keep aside, report as suspect. */
export type TailVerdict = 'whole' | 'torn' | 'damaged';

/** Judges the end of a log. */
export function judgeTail(found: TailFindings): TailVerdict {
  if (found.goodBatchBehind) return 'damaged';
  return found.isWhole ? 'whole' : 'torn';
}
