/** What clients send and read, for a scrape. */
import { latencyBoundsMs } from '../../proto/dashboard/latency-bounds.ts';
import type { MetricsRegistry } from '../metrics/registry.ts';
import type { Traffic } from '../metrics/traffic.ts';

/** Adds them; a node without the broker role has none of it and tells zeros. */
export function addTrafficMetrics(registry: MetricsRegistry, traffic: () => Traffic): void {
  registry.total(
    'highwater_produced_bytes_total',
    'Bytes taken from producers.',
    () => traffic().producedBytes,
  );
  registry.total(
    'highwater_produced_records_total',
    'Records taken from producers.',
    () => traffic().producedRecords,
  );
  registry.total(
    'highwater_fetched_bytes_total',
    'Bytes sent to readers, followers aside.',
    () => traffic().fetchedBytes,
  );
  registry.classes(
    'highwater_produce_ms',
    'Time from a produce request to its answer, in milliseconds.',
    () => ({
      bounds: latencyBoundsMs,
      counts: traffic().produceMs,
      sum: traffic().produceMsSum,
    }),
  );
}
