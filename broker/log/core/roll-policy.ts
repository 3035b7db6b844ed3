/** When the active segment is closed for writing and the next one begins. */

/** Settings of a topic that govern its segments. */
export interface RollSettings {
  readonly segmentBytes: number;
  readonly segmentMs: number;
}

/** The active segment as far as rolling is concerned. */
export interface ActiveSegmentFacts {
  readonly bytes: number;
  /** Wall-clock time of the first write to it by this process; 0 before that: its age is not known. */
  readonly beganMs: number;
}

/** True if the next batches of `nextBytes` belong into a fresh segment. An empty one never rolls. */
export function shouldRoll(
  settings: RollSettings,
  active: ActiveSegmentFacts,
  next: { readonly bytes: number; readonly nowMs: number },
): boolean {
  if (active.bytes === 0) return false;
  if (active.bytes + next.bytes > settings.segmentBytes) return true;
  return active.beganMs > 0 && next.nowMs - active.beganMs >= settings.segmentMs;
}
