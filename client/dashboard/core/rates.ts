/**
 * Rates and latencies of the cluster from the totals that nodes tell. A node that restarted begins its
 * totals anew: what shrank counts from zero.
 */
import { latencyAt } from '../../../proto/dashboard/latency-bounds.ts';
import type { NodeFigures, NodeRow } from '../../../proto/dashboard/messages.ts';

export interface RateSample {
  /** Wall clock of the serving node, milliseconds. */
  readonly wallMs: number;
  readonly writtenBytesPerSecond: number;
  readonly writtenRecordsPerSecond: number;
  readonly readBytesPerSecond: number;
  /** Of produce requests answered since the sample before; undefined if there were none. */
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
}

export interface RateMeter {
  samples: RateSample[];
  lastWallMs: number;
  readonly last: Map<number, NodeFigures>;
}

/** Two minutes, a sample each second. */
const samplesMax = 120;
const sampleMs = 950;

export function createRateMeter(): RateMeter {
  return { samples: [], lastWallMs: 0, last: new Map() };
}

/** Takes the present totals; returns whether a sample was added. */
export function measure(meter: RateMeter, nodes: readonly NodeRow[], wallMs: number): boolean {
  const elapsed = wallMs - meter.lastWallMs;
  if (elapsed < sampleMs) return false;
  const isFirst = meter.lastWallMs === 0 || elapsed > 10_000;
  meter.lastWallMs = wallMs;
  const sum = { bytes: 0, records: 0, read: 0, counts: [] as number[] };
  for (const { id, figures } of nodes) {
    if (figures === null) continue;
    const was = meter.last.get(id);
    meter.last.set(id, figures);
    if (was === undefined) continue;
    sum.bytes += grown(figures.producedBytes, was.producedBytes);
    sum.records += grown(figures.producedRecords, was.producedRecords);
    sum.read += grown(figures.fetchedBytes, was.fetchedBytes);
    figures.produceMs.forEach((count, index) => {
      sum.counts[index] = (sum.counts[index] ?? 0) + grown(count, was.produceMs[index] ?? 0);
    });
  }
  if (isFirst) return false;
  const seconds = elapsed / 1_000;
  meter.samples.push({
    wallMs,
    writtenBytesPerSecond: sum.bytes / seconds,
    writtenRecordsPerSecond: sum.records / seconds,
    readBytesPerSecond: sum.read / seconds,
    p50Ms: latencyAt(sum.counts, 0.5),
    p99Ms: latencyAt(sum.counts, 0.99),
  });
  meter.samples.splice(0, Math.max(0, meter.samples.length - samplesMax));
  return true;
}

function grown(is: number, was: number): number {
  return is >= was ? is - was : is;
}
