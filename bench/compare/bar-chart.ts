/** Bars of medians with every sample as a dot on them. */
import { median } from '../harness/statistics.ts';
import { escapeHtml } from './escape-html.ts';

export interface Bar {
  readonly label: string;
  readonly values: readonly number[];
}

const labelWidth = 270;
const barsWidth = 520;
const rowHeight = 24;
const titleHeight = 28;
/** Ours and theirs differ in lightness too, not in hue alone. */
const ourColour = '#1f6feb';
const theirColour = '#9aa4b2';

/** An SVG element. */
export function barChart(title: string, bars: readonly Bar[]): string {
  const largest = Math.max(...bars.flatMap(({ values }) => values), 1e-9);
  const height = titleHeight + bars.length * rowHeight;
  const width = labelWidth + barsWidth + 80;
  const rows = bars.map((bar, index) => barRow(bar, titleHeight + index * rowHeight, largest));
  return [
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(title)}">`,
    `<text x="0" y="16" font-weight="600">${escapeHtml(title)}</text>`,
    ...rows,
    '</svg>',
  ].join('');
}

function barRow({ label, values }: Bar, top: number, largest: number): string {
  const x = (value: number): number => labelWidth + (value / largest) * barsWidth;
  const middle = median(values);
  const colour = label.startsWith('highwater') ? ourColour : theirColour;
  const dots = values.map(
    (value) =>
      `<circle cx="${x(value).toFixed(1)}" cy="${top + 10}" r="2.5" fill="none" stroke="currentColor"/>`,
  );
  return [
    `<text x="0" y="${top + 14}">${escapeHtml(label)}</text>`,
    `<rect x="${labelWidth}" y="${top + 3}" width="${(x(middle) - labelWidth).toFixed(1)}" height="14" fill="${colour}"/>`,
    ...dots,
    `<text x="${(x(Math.max(...values)) + 8).toFixed(1)}" y="${top + 14}">${middle >= 100 ? Math.round(middle).toLocaleString('en') : middle.toPrecision(3)}</text>`,
  ].join('');
}
