/** Pauses between attempts: doubling from a floor to a ceiling, with full jitter above the floor. */
import type { Random } from '../../proto/ports/random.ts';

export interface BackoffBounds {
  readonly minMs: number;
  readonly maxMs: number;
}

/** The longest pause after so many failures in a row, counted from 1. */
export function backoffCeiling(failures: number, bounds: BackoffBounds): number {
  const doubled = bounds.minMs * 2 ** Math.min(20, Math.max(0, failures - 1));
  return Math.min(bounds.maxMs, doubled);
}

/** A pause drawn so that clients that failed together do not come back together. */
export function drawBackoff(random: Random, failures: number, bounds: BackoffBounds): number {
  const ceiling = backoffCeiling(failures, bounds);
  return bounds.minMs + random.below(Math.max(1, Math.ceil(ceiling - bounds.minMs + 1)));
}
