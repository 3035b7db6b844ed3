/**
 * Latencies as counts in buckets that grow by a sixteenth of a doubling: raw enough to draw any percentile
 * to 4.4 %, small enough to be printed, and the same wherever they were counted.
 */

/** Bucket and count. Bucket `b` holds what took 2^(b/16) microseconds or more, and less than b + 1. */
export type LatencyBucket = readonly [bucket: number, count: number];

const perDoubling = 16;

/** Where a bucket begins, in ms. */
export function bucketFromMs(bucket: number): number {
  return 2 ** (bucket / perDoubling) / 1000;
}

export class LatencyBuckets {
  readonly #counts = new Map<number, number>();

  record(ms: number): void {
    this.#add(Math.floor(Math.log2(Math.max(1, ms * 1000)) * perDoubling), 1);
  }

  /** Adds what was counted elsewhere. */
  add(buckets: readonly LatencyBucket[]): void {
    for (const [bucket, count] of buckets) this.#add(bucket, count);
  }

  /** In the order of latency; empty buckets are left out. */
  get all(): LatencyBucket[] {
    return [...this.#counts].sort(([a], [b]) => a - b);
  }

  #add(bucket: number, count: number): void {
    this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + count);
  }
}
