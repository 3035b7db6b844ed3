import { describe, expect, it } from 'vitest';
import { Claims } from '../../../../broker/main/demo/claims.ts';
import { niceAbove, plotSvg, shortNumber } from '../../../../broker/main/demo/plot.ts';
import { Recording } from '../../../../broker/main/demo/recording.ts';
import { reportPage } from '../../../../broker/main/demo/report.ts';

function page(): string {
  let now = 0;
  const recording = new Recording(() => now);
  const plot = recording.lines('Watermark <&>', 'records', 'steps');
  for (let index = 0; index < 10; index++) {
    now += 100;
    recording.point(plot, `node "${index % 2}"`, index * index);
  }
  recording.bars('Gaps', 'ms', [{ label: 'kill <b>', value: 120 }]);
  recording.tell('event', 'leader-elected <script>alert(1)</script>');
  const claims = new Claims();
  claims.equals('lost', 0, 0);
  const { elapsedMs } = recording;
  const outcome = { lesson: 'failover', summary: 'a & b', holds: true, elapsedMs };
  return reportPage({ ...outcome, claims: claims.all, recording });
}

describe('a report', () => {
  it('asks no other host for anything and runs no script', () => {
    const html = page();
    expect(html).not.toMatch(/https?:\/\/|<link|<script|@import|url\(/);
  });

  it('shows texts as they are, and never as markup', () => {
    const html = page();
    expect(html).toContain('leader-elected &#60;script&#62;');
    expect(html).toContain('a &#38; b');
    expect(html).not.toContain('kill <b>');
  });

  it('has the verdict, every plot and the timeline', () => {
    const html = page();
    expect(html).toContain('The claim holds.');
    expect(html.match(/<svg /g)).toHaveLength(2);
    expect(html.match(/class="line s\d"/g)).toHaveLength(2);
    expect(html).toContain('<tr class="event">');
  });
});

describe('a plot', () => {
  it('has finite coordinates even of one point, and of nothing at all', () => {
    const recording = new Recording(() => 5);
    const plot = recording.lines('one', 'ms');
    expect(plotSvg(plot)).not.toMatch(/NaN|Infinity/);
    recording.point(plot, 'only', 0);
    expect(plotSvg(plot)).not.toMatch(/NaN|Infinity/);
    expect(
      plotSvg({ kind: 'bars', title: '', unit: '', bars: [{ label: '', value: 0 }] }),
    ).not.toMatch(/NaN|Infinity/);
  });

  it('rounds its scale up to 1, 2 or 5 times a power of ten', () => {
    expect([0.3, 1, 3, 7, 70, 101].map(niceAbove)).toEqual([0.5, 1, 5, 10, 100, 200]);
    expect([0.25, 12, 3_400.4, 1_234_567].map(shortNumber)).toEqual([
      '0.25',
      '12',
      '3400',
      '1.23M',
    ]);
  });
});
