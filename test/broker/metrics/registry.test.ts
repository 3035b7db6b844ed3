import { expect, it } from 'vitest';
import { MetricsRegistry } from '../../../broker/metrics/registry.ts';

it('prints counters, gauges with labels and cumulative histograms as Prometheus reads them', () => {
  const registry = new MetricsRegistry();
  const appends = registry.counter('highwater_appends_total', 'Batches appended.');
  registry.gauge('highwater_lag_bytes', 'Lag of a follower.', () => [
    [{ topic: 'a"b', node: 2 }, 7],
  ]);
  const latency = registry.histogram('highwater_produce_ms', 'Latency.');
  appends.add(3);
  latency.observe(1.5);
  latency.observe(100_000);
  const lines = registry.text().split('\n');
  expect(lines).toContain('highwater_appends_total 3');
  expect(lines).toContain('highwater_lag_bytes{topic="a\\"b",node="2"} 7');
  expect(lines).toContain('highwater_produce_ms_bucket{le="1"} 0');
  expect(lines).toContain('highwater_produce_ms_bucket{le="2"} 1');
  expect(lines).toContain('highwater_produce_ms_bucket{le="+Inf"} 2');
  expect(lines).toContain('highwater_produce_ms_count 2');
});

it('refuses a second metric of the same name', () => {
  const registry = new MetricsRegistry();
  registry.counter('a', 'First.');
  expect(() => registry.counter('a', 'Second.')).toThrow('registered twice');
});

it('classes that are counted elsewhere are read as a cumulative histogram', () => {
  const registry = new MetricsRegistry();
  const read = () => ({ bounds: [1, 2], counts: [3, 1, 2], sum: 12 });
  registry.classes('highwater_classes_ms', 'Classes.', read);
  registry.total('highwater_totals', 'Totals.', () => 7);
  expect(registry.text()).toContain('highwater_classes_ms_bucket{le="2"} 4\n');
  expect(registry.text()).toContain('highwater_classes_ms_bucket{le="+Inf"} 6\n');
  expect(registry.text()).toContain('highwater_totals 7\n');
});
