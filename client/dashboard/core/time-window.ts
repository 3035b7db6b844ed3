/**
 * How much time a picture shows: as much as there is to see, up to the whole history. It grows in steps,
 * so that a page that was just opened is not an empty frame with a sliver at its edge, and the scale does
 * not move with every sample.
 */
import { historyMs } from './partition-history.ts';

const stepsMs = [15_000, 30_000, 60_000, historyMs] as const;

/** The narrowest window that holds what was seen since. */
export function windowMs(seenMs: number): number {
  return stepsMs.find((step) => step >= seenMs) ?? historyMs;
}

/** Words below a picture of so much time: its beginning, its middle, its end. */
export function windowWords(shownMs: number): readonly [string, string, string] {
  return [`${agoWords(shownMs)} ago`, agoWords(shownMs / 2), 'now'];
}

function agoWords(ms: number): string {
  return ms >= 60_000 ? `${ms / 60_000} min` : `${ms / 1_000} s`;
}
