import { expect, test } from 'vitest';
import { reasonOf } from '../../../bench/compare/reasons.ts';
import { renderPage } from '../../../bench/compare/report.ts';

const outcome = {
  figures: { os_1KB_vs_kafka_best: 0.9, rss_vs_kafka: 0.2, ceiling_loopback_MB_per_s: 1_500 },
  samples: {
    'os_1KB: highwater sendBatch, 1 p': [90, 92],
    'os_1KB: kafka java, tuned, 1 p': [100],
  },
  histograms: {
    'half load: highwater': [
      [160, 98],
      [200, 2],
    ] as const,
  },
  parity: { limits: ['one machine', '</script><script>'] },
  skipped: { single_1KB_vs_nats: 'nats-server is not there' },
};

test('a row that is lost stays, with its reason', () => {
  const page = renderPage(outcome);
  expect(page).toContain(
    '<td>os_1KB_vs_kafka_best</td><td>0.90</td><td>≥ 1.8</td><td>not reached</td>',
  );
  expect(page).toContain(reasonOf('os_1KB_vs_kafka_best').slice(0, 20));
  expect(page).toContain('<td>reached</td>');
});

test('what could not be measured says why', () => {
  expect(renderPage(outcome)).toContain('nats-server is not there');
});

test('the raw samples and histograms are read back from the page', () => {
  const page = renderPage(outcome);
  const text = /<script type="application\/json" id="raw">(.*)<\/script>/.exec(page)?.[1] ?? '';
  const { figures, samples, histograms, parity } = outcome;
  expect(JSON.parse(text)).toEqual({ figures, samples, histograms, parity });
  expect(page).toContain('<polyline');
});

test('the page asks no other host', () => {
  expect(renderPage(outcome)).not.toMatch(/(src|href)=|url\(|@import/);
});
