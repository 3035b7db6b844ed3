/**
 * Small plots as inline SVG: lines or steps over seconds, and bars. Colours come from the page's style
 * sheet by class, so that light and dark are the page's matter.
 */
import type { BarPlot, LinePlot, Plot } from './recording.ts';

const size = { width: 860, height: 260, left: 64, right: 16, top: 16, bottom: 34 };
const barHeight = 26;
const barLabelWidth = 230;
/** Colours of series, in order; they begin again after the last. */
export const seriesColours = 6;
const gridLines = 4;

/** One plot as SVG. */
export function plotSvg(plot: Plot): string {
  return plot.kind === 'lines' ? linesSvg(plot) : barsSvg(plot);
}

/** Text that is safe inside HTML and SVG, attributes included. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function linesSvg(plot: LinePlot): string {
  const points = [...plot.series.values()].flat();
  const [msMin, msMax] = rangeOf(points.map(([ms]) => ms));
  const valueMax = niceAbove(Math.max(...points.map(([, value]) => value), 1));
  const x = (ms: number): number =>
    size.left + ((ms - msMin) / (msMax - msMin)) * (size.width - size.left - size.right);
  const y = (value: number): number =>
    size.height - size.bottom - (value / valueMax) * (size.height - size.top - size.bottom);
  // Counts have a line each.
  const lines = plot.shape === 'steps' && valueMax <= 10 ? valueMax : gridLines;
  const rows = Array.from({ length: lines + 1 }, (_, index) => (index * valueMax) / lines);
  const seconds = ticks(msMin / 1_000, msMax / 1_000);
  const paths = [...plot.series.values()].map(
    (series, index) =>
      `<path class="line s${index % seriesColours}" d="${pathOf(series, plot.shape, { x, y })}"/>`,
  );
  const names = [...plot.series.keys()].map(
    (name, index) => `<span class="key k${index % seriesColours}">${escaped(name)}</span>`,
  );
  return [
    `<svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${escaped(plot.title)}">`,
    ...rows.map(
      (value) =>
        `<line class="grid" x1="${size.left}" x2="${size.width - size.right}" y1="${y(value)}" y2="${y(value)}"/><text class="tick" x="${size.left - 8}" y="${y(value) + 4}" text-anchor="end">${shortNumber(value)}</text>`,
    ),
    ...seconds.map(
      (second) =>
        `<text class="tick" x="${x(second * 1_000)}" y="${size.height - 12}" text-anchor="middle">${shortNumber(second)} s</text>`,
    ),
    ...paths,
    '</svg>',
    `<p class="keys">${names.join(' ')}</p>`,
  ].join('');
}

function pathOf(
  series: readonly (readonly [ms: number, value: number])[],
  shape: LinePlot['shape'],
  { x, y }: { readonly x: (ms: number) => number; readonly y: (value: number) => number },
): string {
  let path = '';
  for (const [ms, value] of series) {
    const [left, top] = [x(ms).toFixed(1), y(value).toFixed(1)];
    if (path === '') path = `M${left} ${top}`;
    else path += shape === 'steps' ? `H${left}V${top}` : `L${left} ${top}`;
  }
  return path;
}

function barsSvg(plot: BarPlot): string {
  const most = Math.max(...plot.bars.map(({ value }) => value), Number.MIN_VALUE);
  const height = plot.bars.length * barHeight + 8;
  const room = size.width - barLabelWidth - 110;
  const bars = plot.bars.map(({ label, value }, index) => {
    const top = index * barHeight + 4;
    const width = Math.max(1, (value / most) * room);
    return `<text class="label" x="${barLabelWidth - 10}" y="${top + 15}" text-anchor="end">${escaped(label)}</text><rect class="bar" x="${barLabelWidth}" y="${top}" width="${width.toFixed(1)}" height="${barHeight - 8}"/><text class="tick" x="${barLabelWidth + width + 8}" y="${top + 14}">${shortNumber(value)} ${escaped(plot.unit)}</text>`;
  });
  return `<svg viewBox="0 0 ${size.width} ${height}" role="img" aria-label="${escaped(plot.title)}">${bars.join('')}</svg>`;
}

/** From whole seconds below the first to the last value. */
function rangeOf(values: readonly number[]): [from: number, to: number] {
  const from = values.length === 0 ? 0 : Math.floor(Math.min(...values) / 1_000) * 1_000;
  return [from, Math.max(from + 1, ...values)];
}

/** Round values between these, about eight of them. */
function ticks(from: number, to: number): number[] {
  const step = niceAbove((to - from) / 8);
  const first = Math.ceil(from / step);
  return Array.from(
    { length: Math.floor(to / step) - first + 1 },
    (_, index) => (first + index) * step,
  );
}

/** The next 1, 2 or 5 times a power of ten. */
export function niceAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= value) ?? 10;
  return factor * power;
}

/** Such as 0.25, 12, 3400, 1.2M. */
export function shortNumber(value: number): string {
  if (value >= 1_000_000) return `${Number((value / 1_000_000).toPrecision(3))}M`;
  return String(value >= 100 ? Math.round(value) : Number(value.toPrecision(3)));
}
