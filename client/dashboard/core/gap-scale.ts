/**
 * Which part of a log is drawn: its tail, wide enough that everything between the slowest in-sync
 * replica and the log end is seen, and not so wide that the gap vanishes. A replica that is out of sync
 * may lie far behind; it is shown at the edge instead of squeezing the others.
 */
import type { PartitionView } from './cluster-state.ts';

export interface GapScale {
  /** First offset of the picture. */
  readonly from: number;
  /** Offset at its right edge. */
  readonly to: number;
}

const narrowest = 20;

/** `before` is the width drawn last; it is kept while it fits, so that the picture does not jump. */
export function gapScale(view: PartitionView, before: number | undefined): GapScale {
  let to = 0;
  let low = Number.POSITIVE_INFINITY;
  for (const [node, replica] of view.replicas) {
    const counts = view.row.isr.includes(node) || node === view.row.leader;
    if (!counts && view.row.leader !== null) continue;
    to = Math.max(to, replica.logEnd);
    low = Math.min(low, replica.storedEnd, replica.watermark);
  }
  const needed = niceCeiling(Math.max(narrowest, (to - Math.min(low, to)) * 1.25));
  const width = before !== undefined && needed <= before && before <= needed * 10 ? before : needed;
  return to < width ? { from: 0, to: width } : { from: to - width, to };
}

/** A place on the scale, 0 to 1. */
export function placeOn({ from, to }: GapScale, offset: number): number {
  return Math.min(1, Math.max(0, (offset - from) / (to - from)));
}

/** 1, 2 or 5 times a power of ten, not below the value. */
export function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  for (const step of [1, 2, 5, 10]) if (step * power >= value) return step * power;
  return 10 * power;
}
