/**
 * Which whole segments may go. Only what lies below the watermark is ever removed (rule B2.11), and
 * always from the old end, so that the log stays one unbroken stretch.
 */

/** Settings of a topic that govern how long records stay; -1 means without limit. */
export interface RetentionSettings {
  readonly retentionMs: number;
  readonly retentionBytes: number;
}

/** One segment, oldest first; the active one is the last. */
export interface RetainedSegment {
  readonly baseOffset: number;
  readonly endOffset: number;
  readonly bytes: number;
  /** Largest timestamp of its records; -1 if it holds none. */
  readonly largestTimestamp: number;
}

/** What the decision rests on. */
export interface RetentionFacts {
  readonly segments: readonly RetainedSegment[];
  readonly highWatermark: number;
  readonly logStartOffset: number;
  readonly nowMs: number;
}

/**
 * The log start offset after retention: the end of the last segment that may go, or the present one.
 * The active segment goes by time only, and only once all of it is below the watermark.
 */
export function retentionStart(settings: RetentionSettings, facts: RetentionFacts): number {
  let total = 0;
  for (const segment of facts.segments) total += segment.bytes;

  let start = facts.logStartOffset;
  for (const [index, segment] of facts.segments.entries()) {
    if (segment.endOffset > facts.highWatermark || segment.bytes === 0) break;
    const isActive = index === facts.segments.length - 1;
    const tooOld =
      settings.retentionMs >= 0 &&
      segment.largestTimestamp >= 0 &&
      facts.nowMs - segment.largestTimestamp > settings.retentionMs;
    const tooMuch =
      !isActive && settings.retentionBytes >= 0 && total - segment.bytes >= settings.retentionBytes;
    // A segment wholly below the log start went by deleteRecords.
    const released = segment.endOffset <= facts.logStartOffset;
    if (!tooOld && !tooMuch && !released) break;
    total -= segment.bytes;
    if (segment.endOffset > start) start = segment.endOffset;
  }
  return start;
}
