/** Latencies as an HdrHistogram keeps them: three figures, from a microsecond to a minute. */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

export interface LatencySummary {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

const microsecondsMax = 60_000_000;

export class LatencyHistogram {
  readonly #histogram: RecordableHistogram = createHistogram({
    lowest: 1,
    highest: microsecondsMax,
    figures: 3,
  });

  record(ms: number): void {
    this.#histogram.record(Math.min(microsecondsMax, Math.max(1, Math.round(ms * 1000))));
  }

  /** In milliseconds. */
  summary(): LatencySummary {
    const histogram = this.#histogram;
    const at = (percent: number): number => histogram.percentile(percent) / 1000;
    return {
      count: histogram.count,
      p50: at(50),
      p99: at(99),
      p999: at(99.9),
      max: histogram.max / 1000,
    };
  }
}

const monotonicBefore = monotonicMs() - performance.now();

/** A clock that all processes of the machine share. */
export function sharedNow(): number {
  return monotonicBefore + performance.now();
}

function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}
