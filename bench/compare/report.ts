/** One self-contained page: every sample and histogram, the ratios, what was compared and how. Losing rows stay. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BenchOutcome, type Goal, isGoalMet } from '../harness/bench.ts';
import { type Bar, barChart } from './bar-chart.ts';
import { escapeHtml } from './escape-html.ts';
import { goals } from './goals.ts';
import { percentileChart } from './percentile-chart.ts';
import { reasonOf } from './reasons.ts';

const reportPath = fileURLToPath(new URL('../results/compare.html', import.meta.url));

/** Writes the page and resolves to where it is. */
export async function writeReport(outcome: BenchOutcome): Promise<string> {
  await mkdir(dirname(reportPath), { recursive: true });
  await writeFile(reportPath, renderPage(outcome));
  return reportPath;
}

/** The page as text. */
export function renderPage(outcome: BenchOutcome): string {
  const { figures, samples, parity, histograms = {}, skipped = {} } = outcome;
  const charts = groups(samples).map(({ title, bars }) => barChart(title, bars));
  const ceilings = Object.entries(figures).filter(([key]) => key.startsWith('ceiling_'));
  const costs = Object.entries(figures).filter(([key]) => key.startsWith('cpu_s_per_GB_'));
  return [
    '<!doctype html><html lang="en"><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<title>Highwater compared</title>',
    `<style>${style}</style>`,
    '<main><h1>Highwater beside Kafka and NATS JetStream</h1>',
    section(
      'Ratios',
      `<div class="ratios">${table(goals.map((goal) => goalRow(goal, figures[goal.key], skipped)))}</div>`,
    ),
    section('Every sample', charts.join('\n')),
    section('Latency of every record', latencies(histograms)),
    section(
      'CPU seconds for each GB of values',
      table(costs.map(([key, value]) => [key.slice('cpu_s_per_GB_'.length), value.toFixed(1)])),
    ),
    section(
      'What the machine gives',
      table(ceilings.map(([key, value]) => [key, value.toFixed(1)])),
    ),
    section(
      'How it was compared, and what this does not show',
      table(
        Object.entries(parity).map(([fact, value]) => [
          fact,
          Array.isArray(value) ? value.join('\n') : String(value),
        ]),
      ),
    ),
    rawData({ figures, samples, histograms, parity }),
    '</main></html>',
  ].join('\n');
}

function goalRow(
  goal: Goal,
  figure: number | undefined,
  skipped: Readonly<Record<string, string>>,
): string[] {
  const asked = 'atLeast' in goal.goal ? `≥ ${goal.goal.atLeast}` : `≤ ${goal.goal.atMost}`;
  if (figure === undefined)
    return [goal.key, '–', asked, skipped[goal.key] ?? 'not measured', goal.meaning];
  const verdict = isGoalMet(goal, figure) ? 'reached' : 'not reached';
  const meaning =
    verdict === 'reached' ? goal.meaning : `${goal.meaning}. Why not: ${reasonOf(goal.key)}`;
  return [goal.key, figure.toFixed(2), asked, verdict, meaning];
}

/** Histograms are named `load: contestant`. */
function latencies(histograms: NonNullable<BenchOutcome['histograms']>): string {
  const curves = Object.entries(histograms).map(([name, buckets]) => ({
    label: name.split(': ')[1] ?? name,
    buckets,
  }));
  if (curves.length === 0) return '<p>Not measured: it takes a peer to compare with.</p>';
  return percentileChart('half load: share of the records that took no longer', curves);
}

/** For programs: what `--json` prints of it. Nothing in it can end the element. */
function rawData(data: object): string {
  const text = JSON.stringify(data).replaceAll('<', '\\u003c');
  return `<script type="application/json" id="raw">${text}</script>`;
}

/** Samples are named `row: contestant`: one chart for each row. */
function groups(
  samples: BenchOutcome['samples'],
): ReadonlyArray<{ readonly title: string; readonly bars: readonly Bar[] }> {
  const byRow = new Map<string, Bar[]>();
  for (const [name, values] of Object.entries(samples)) {
    const [row = name, contestant = name] = name.split(': ');
    byRow.set(row, [...(byRow.get(row) ?? []), { label: contestant, values }]);
  }
  return [...byRow].map(([title, bars]) => ({ title: `${title} (${unitOf(title)})`, bars }));
}

function unitOf(title: string): string {
  return title.includes('_ms') ? 'ms, less is better' : 'MB/s, more is better';
}

function section(title: string, body: string): string {
  return `<section><h2>${escapeHtml(title)}</h2>${body}</section>`;
}

function table(rows: ReadonlyArray<readonly string[]>): string {
  const cells = (row: readonly string[]): string =>
    row.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('');
  return `<table>${rows.map((row) => `<tr>${cells(row)}</tr>`).join('')}</table>`;
}

const style = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
td { padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #8884; vertical-align: top; white-space: pre-line; }
td:nth-child(2) { font-variant-numeric: tabular-nums; }
.ratios td:nth-child(-n+4) { white-space: nowrap; }
svg { width: 100%; height: auto; margin-bottom: 1.5rem; }
svg.key { width: 30px; height: 10px; margin: 0; }
svg text { fill: currentColor; font: 12px system-ui, sans-serif; }
`;
