/**
 * When a log is compacted, and how far. Only whole sealed segments that are flushed in place and lie
 * below the watermark are touched: nothing is ever cut there, except by an unclean election.
 *
 * Below `cleanedTo` each key stands once; above it the log is dirty.
 */

/** Settings of a compacted topic. */
export interface CompactionSettings {
  /** Share of dirty bytes from which on a pass is worth its cost, 0 to 1. */
  readonly dirtyRatioMin: number;
  /** Records younger than this stay as they are. */
  readonly lagMsMin: number;
  /** How long the mark of a deleted key is kept once it is the only record of its key. */
  readonly deleteRetentionMs: number;
  /** Size up to which neighbouring segments become one. */
  readonly segmentBytes: number;
}

/** One sealed segment. */
export interface CompactedSegment {
  readonly baseOffset: number;
  readonly endOffset: number;
  readonly bytes: number;
  /** Largest timestamp of its records; -1 if it holds none. */
  readonly largestTimestamp: number;
}

/** What the decision rests on. */
export interface CompactionFacts {
  /** Sealed ones, oldest first. */
  readonly segments: readonly CompactedSegment[];
  readonly highWatermark: number;
  /** Segments that end at or below it are flushed in place. */
  readonly flushedTo: number;
  readonly cleanedTo: number;
  /** When the next mark of a deleted key may go; -1: there is none. */
  readonly nextHorizonMs: number;
  /** Marks of deleted keys may go: every replica has them. */
  readonly mayDropMarks: boolean;
  readonly nowMs: number;
}

/** How many segments from the oldest on take part, and where they end. */
export interface CompactionPlan {
  readonly segments: number;
  readonly end: number;
}

/** What is to be compacted; undefined: nothing is due. */
export function planCompaction(
  settings: CompactionSettings,
  facts: CompactionFacts,
): CompactionPlan | undefined {
  let count = 0;
  let cleanBytes = 0;
  let dirtyBytes = 0;
  for (const segment of facts.segments) {
    if (segment.endOffset > facts.highWatermark || segment.endOffset > facts.flushedTo) break;
    const isDirty = segment.endOffset > facts.cleanedTo;
    if (isDirty && facts.nowMs - segment.largestTimestamp < settings.lagMsMin) break;
    count++;
    if (isDirty) dirtyBytes += segment.bytes;
    else cleanBytes += segment.bytes;
  }
  const last = facts.segments[count - 1];
  if (last === undefined) return undefined;
  const isDirtyEnough =
    dirtyBytes > 0 && dirtyBytes >= settings.dirtyRatioMin * (dirtyBytes + cleanBytes);
  const marksAreDue =
    facts.mayDropMarks && facts.nextHorizonMs >= 0 && facts.nextHorizonMs <= facts.nowMs;
  return isDirtyEnough || marksAreDue ? { segments: count, end: last.endOffset } : undefined;
}

/** Neighbours that become one file, by index: from the first to the one before the second number. */
export function groupSegments(
  segments: readonly { readonly bytes: number }[],
  bytesMax: number,
): readonly (readonly [from: number, to: number])[] {
  const groups: (readonly [number, number])[] = [];
  let from = 0;
  let bytes = 0;
  for (const [at, segment] of segments.entries()) {
    if (at > from && bytes + segment.bytes > bytesMax) {
      groups.push([from, at]);
      from = at;
      bytes = 0;
    }
    bytes += segment.bytes;
  }
  if (segments.length > from) groups.push([from, segments.length]);
  return groups;
}
