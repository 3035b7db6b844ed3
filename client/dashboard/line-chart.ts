/**
 * A small line chart of up to two minutes, in the colours of the page. The chart library is loaded by
 * the page before its modules, under its own name.
 */
import { windowMs } from './core/time-window.ts';
import { make } from './element.ts';
import { colour } from './theme.ts';

export interface ChartLine {
  readonly name: string;
  /** A colour of the style sheet. */
  readonly colour: string;
  readonly dash?: readonly number[];
  readonly isFilled?: boolean;
}

export interface ChartOptions {
  readonly title: string;
  readonly lines: readonly ChartLine[];
  readonly format: (value: number) => string;
  /** The top of the scale while everything is below it. */
  readonly least: number;
}

type Columns = readonly (readonly (number | null)[])[];

const height = 150;

export class LineChart {
  readonly element: HTMLElement;
  readonly #options: ChartOptions;
  readonly #box = make('div', { class: 'chart' });
  readonly #now = make('span', { class: 'chart-now' }, 'nothing measured yet');
  readonly #resize: ResizeObserver;
  #plot: uPlot | undefined;
  #data: Columns = [];

  constructor(options: ChartOptions) {
    this.#options = options;
    const keys = options.lines.map(({ name, colour: key, dash }) =>
      make(
        'span',
        { class: 'key' },
        make('i', { class: dash === undefined ? 'key-solid' : 'key-dashed', 'data-colour': key }),
        name,
      ),
    );
    this.element = make(
      'figure',
      { class: 'panel figure' },
      make('figcaption', {}, make('h2', {}, options.title), ...keys, this.#now),
      this.#box,
    );
    this.#resize = new ResizeObserver(() => this.#size());
    this.#resize.observe(this.#box);
  }

  /** Times in seconds first, then a column for each line. */
  show(data: Columns): void {
    this.#data = data;
    if (this.#plot === undefined) this.#create();
    this.#plot?.setData(data as uPlot.AlignedData);
    const { format, lines } = this.#options;
    const words = lines.map(({ name }, at) => {
      const value = data[at + 1]?.findLast((one) => one !== null);
      return `${name} ${value === undefined || value === null ? '–' : format(value)}`;
    });
    this.#now.textContent = words.join(' · ');
  }

  repaint(): void {
    this.#plot?.destroy();
    this.#plot = undefined;
    if (this.#data.length > 0) this.show(this.#data);
  }

  close(): void {
    this.#resize.disconnect();
    this.#plot?.destroy();
    this.#plot = undefined;
  }

  #size(): void {
    const width = this.#box.clientWidth;
    if (width > 0) this.#plot?.setSize({ width, height });
  }

  #create(): void {
    const { lines, format, least } = this.#options;
    const width = this.#box.clientWidth;
    if (width === 0) return;
    const axis = { stroke: colour('--quiet'), font: '11px system-ui', ticks: { show: false } };
    const grid = { stroke: colour('--line'), width: 1 };
    this.#plot = new uPlot(
      {
        width,
        height,
        legend: { show: false },
        cursor: { show: false },
        padding: [8, 28, 0, 0],
        scales: {
          x: { range: (_plot, min, max) => [max - windowMs((max - min) * 1_000) / 1_000, max] },
          y: { range: (_plot, _min, max) => [0, Math.max(max * 1.1, least)] },
        },
        axes: [
          {
            ...axis,
            grid: { show: false },
            space: 90,
            size: 24,
            values: (_plot, ticks) => ticks.map(timeOf),
          },
          { ...axis, grid, size: 58, space: 36, values: (_plot, ticks) => ticks.map(format) },
        ],
        series: [
          {},
          ...lines.map((line) => ({
            label: line.name,
            stroke: colour(line.colour),
            width: 2,
            spanGaps: true,
            points: { show: false },
            ...(line.dash === undefined ? {} : { dash: [...line.dash] }),
            ...(line.isFilled === true ? { fill: `${colour(line.colour)}33` } : {}),
          })),
        ],
      },
      this.#data as uPlot.AlignedData,
      this.#box,
    );
  }
}

function timeOf(seconds: number): string {
  return new Date(seconds * 1_000).toTimeString().slice(0, 8);
}
