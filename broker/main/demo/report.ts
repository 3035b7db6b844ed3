/** A lesson as one HTML page that needs nothing else: the verdict, the plots, the timeline. */
import type { LessonOutcome } from './play-lesson.ts';
import { escaped, plotSvg } from './plot.ts';
import type { Moment } from './recording.ts';

const style = `
:root{color-scheme:light dark;--ink:#1c2430;--dim:#5b6675;--paper:#fff;--rule:#d8dde4;--good:#1a7f4b;--bad:#b3261e;
--c0:#1f6feb;--c1:#d9730d;--c2:#1a7f4b;--c3:#9a3fb5;--c4:#b3261e;--c5:#5b6675}
@media(prefers-color-scheme:dark){:root{--ink:#e4e8ee;--dim:#98a3b3;--paper:#12161c;--rule:#2c343f;--good:#4cc38a;--bad:#ff8a80;
--c0:#6aa5ff;--c1:#ffab5e;--c2:#4cc38a;--c3:#d39cf0;--c4:#ff8a80;--c5:#98a3b3}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:920px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin-bottom:.2rem}h2{font-size:1.1rem;margin-top:2rem}p.dim,td.dim{color:var(--dim)}
table{border-collapse:collapse;width:100%}th{text-align:left;color:var(--dim);font-weight:500}
td,th{padding:.3rem .6rem .3rem 0;border-top:1px solid var(--rule);vertical-align:top}
.good{color:var(--good)}.bad{color:var(--bad)}td.time{white-space:nowrap;text-align:right;font-variant-numeric:tabular-nums}
tr.chapter td{font-weight:600}tr.event td{color:var(--dim);font-size:.9em}tr.why td{font-style:italic}
svg{width:100%;height:auto}.grid{stroke:var(--rule)}.tick,.label{fill:var(--dim);font-size:12px}
.line{fill:none;stroke-width:2}.bar{fill:var(--c0)}.keys{margin:0}.key{margin-right:1rem}.key::before{content:"■ "}
${[0, 1, 2, 3, 4, 5].map((index) => `.s${index}{stroke:var(--c${index})}.k${index}::before{color:var(--c${index})}`).join('')}`;

export function reportPage(outcome: LessonOutcome): string {
  const { lesson, summary, holds, elapsedMs, claims, recording } = outcome;
  const rows = claims.map(
    ({ claim, expected, observed, holds: isTrue }) =>
      `<tr><td class="${isTrue ? 'good' : 'bad'}">${isTrue ? '✓' : '✗'}</td><td>${escaped(claim)}</td><td>${escaped(observed)}</td><td class="dim">${escaped(expected)}</td></tr>`,
  );
  const plots = recording.plots
    .filter((plot) => (plot.kind === 'bars' ? plot.bars.length : plot.series.size) > 0)
    .map((plot) => `<h2>${escaped(plot.title)} (${escaped(plot.unit)})</h2>${plotSvg(plot)}`);
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width,initial-scale=1">',
    `<title>Highwater: ${escaped(lesson)}</title><style>${style}</style></head><body>`,
    `<h1>${escaped(lesson)}</h1><p>${escaped(summary)}</p>`,
    `<p class="${holds ? 'good' : 'bad'}">${holds ? 'The claim holds.' : 'The claim does not hold.'}</p>`,
    `<p class="dim">Played by real processes on one machine in ${(elapsedMs / 1_000).toFixed(1)} s.</p>`,
    '<table><thead><tr><th></th><th>claim</th><th>observed</th><th>expected</th></tr></thead><tbody>',
    ...rows,
    '</tbody></table>',
    ...plots,
    '<h2>Timeline</h2><table><tbody>',
    ...recording.moments.map(momentRow),
    '</tbody></table></body></html>\n',
  ].join('\n');
}

function momentRow({ atMs, kind, text }: Moment): string {
  return `<tr class="${kind}"><td class="time">${(atMs / 1_000).toFixed(2)} s</td><td>${escaped(text)}</td></tr>`;
}
