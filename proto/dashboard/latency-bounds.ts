/**
 * The classes in which latencies are counted: upper bounds in milliseconds, from a write to the page
 * cache to a stalled disk. Fine enough that a percentile read from the counts is off by a third at most.
 */
export const latencyBoundsMs: readonly number[] = [
  0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768,
  1024, 2048, 4096, 8192, 16_384,
];

/**
 * A percentile (0 to 1) of counted latencies, interpolated in its class; undefined without any count.
 * `counts` has one element more than there are bounds.
 */
export function latencyAt(counts: readonly number[], part: number): number | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  let below = 0;
  for (const [index, count] of counts.entries()) {
    if (count > 0 && below + count >= total * part) {
      const from = latencyBoundsMs[index - 1] ?? 0;
      const to = latencyBoundsMs[index] ?? from;
      return from + (to - from) * ((total * part - below) / count);
    }
    below += count;
  }
  return latencyBoundsMs.at(-1);
}
