/** Latency by percentile, drawn from raw counts: both axes are logarithmic, so that the tail is seen. */
import { bucketFromMs, type LatencyBucket } from '../harness/latency-buckets.ts';
import { escapeHtml } from './escape-html.ts';

export interface Curve {
  readonly label: string;
  readonly buckets: readonly LatencyBucket[];
}

const size = { width: 860, height: 300, left: 60, right: 34, top: 30, bottom: 30 } as const;
/** Nines of the axis: 0 %, 90 %, 99 %, 99.9 %, 99.99 %. */
const ninesMax = 4;
const colours = ['#1f6feb', '#d9730d', '#1a7f4b', '#9a3fb5'];
const dashes = ['', '6 3', '2 3', '8 3 2 3'];

/** An SVG element with its key below. */
export function percentileChart(title: string, curves: readonly Curve[]): string {
  const latencies = curves.flatMap(({ buckets }) => buckets.map(([bucket]) => upToMs(bucket)));
  const [low, high] = [Math.min(...latencies), Math.max(...latencies)].map(Math.log10);
  const [from, to] = [Math.floor(low ?? 0), Math.ceil(high ?? 1)];
  const x = (nines: number): number =>
    size.left + (Math.min(nines, ninesMax) / ninesMax) * (size.width - size.left - size.right);
  const y = (ms: number): number =>
    size.height -
    size.bottom -
    ((Math.log10(ms) - from) / (to - from || 1)) * (size.height - size.top - size.bottom);
  const decades = Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index));
  const lines = curves.map(({ buckets }, index) => {
    const path = pointsOf(buckets).map(
      ([nines, ms]) => `${x(nines).toFixed(1)},${y(ms).toFixed(1)}`,
    );
    return `<polyline points="${path.join(' ')}" fill="none" stroke="${colourOf(index)}" stroke-width="2" stroke-dasharray="${dashes[index % dashes.length]}"/>`;
  });
  return [
    `<svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${escapeHtml(title)}">`,
    `<text x="0" y="16" font-weight="600">${escapeHtml(title)}</text>`,
    ...decades.map(
      (ms) =>
        `<line x1="${size.left}" x2="${size.width - size.right}" y1="${y(ms)}" y2="${y(ms)}" stroke="#8884"/><text x="${size.left - 8}" y="${y(ms) + 4}" text-anchor="end">${ms} ms</text>`,
    ),
    ...Array.from(
      { length: ninesMax + 1 },
      (_, nines) =>
        `<text x="${x(nines)}" y="${size.height - 8}" text-anchor="middle">${nines === 0 ? '0' : 100 - 10 ** (2 - nines)} %</text>`,
    ),
    ...lines,
    '</svg>',
    `<p>${curves.map(({ label }, index) => keyOf(label, index)).join(' &emsp; ')}</p>`,
  ].join('');
}

function keyOf(label: string, index: number): string {
  const dash = dashes[index % dashes.length];
  return `<svg class="key" viewBox="0 0 30 10" aria-hidden="true"><line x1="0" x2="30" y1="5" y2="5" stroke="${colourOf(index)}" stroke-width="3" stroke-dasharray="${dash}"/></svg> ${escapeHtml(label)}`;
}

function colourOf(index: number): string {
  return colours[index % colours.length] ?? 'currentColor';
}

/** Nines of the share that took no longer, and how long. */
function pointsOf(buckets: readonly LatencyBucket[]): [nines: number, ms: number][] {
  const total = buckets.reduce((sum, [, count]) => sum + count, 0);
  let below = 0;
  return buckets.map(([bucket, count]) => {
    const nines = -Math.log10(1 - below / total);
    below += count;
    return [nines, upToMs(bucket)];
  });
}

function upToMs(bucket: number): number {
  return bucketFromMs(bucket + 1);
}
