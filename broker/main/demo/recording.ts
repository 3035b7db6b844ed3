/**
 * What happened during a lesson, in the order of time: what was told, what the cluster reported, and
 * the figures that were measured. The terminal shows it as it grows; the report is made from it.
 */
export type MomentKind = 'chapter' | 'act' | 'why' | 'look' | 'event';

/** One line of the timeline. */
export interface Moment {
  /** Since the lesson began. */
  readonly atMs: number;
  /** A new part; something done; why it is so; where to look; an event of the cluster. */
  readonly kind: MomentKind;
  readonly text: string;
}

/** Values over time: each holds until the next where `shape` is `steps`. */
export interface LinePlot {
  readonly kind: 'lines';
  readonly title: string;
  readonly unit: string;
  readonly shape: 'line' | 'steps';
  readonly series: Map<string, [ms: number, value: number][]>;
}

/** Values side by side. */
export interface BarPlot {
  readonly kind: 'bars';
  readonly title: string;
  readonly unit: string;
  readonly bars: readonly { readonly label: string; readonly value: number }[];
}

export type Plot = LinePlot | BarPlot;

/** Points of one series beyond which every second one is left out. */
const pointsMax = 4_000;
/** Lines of a timeline; what comes later is not kept. */
const momentsMax = 5_000;

export class Recording {
  readonly moments: Moment[] = [];
  readonly plots: Plot[] = [];
  readonly #now: () => number;
  readonly #beganMs: number;

  /** `now` gives milliseconds of any clock that does not jump. */
  constructor(now: () => number) {
    this.#now = now;
    this.#beganMs = now();
  }

  /** Since the lesson began. */
  get elapsedMs(): number {
    return this.#now() - this.#beganMs;
  }

  tell(kind: MomentKind, text: string): Moment {
    const moment = { atMs: this.elapsedMs, kind, text };
    if (this.moments.length < momentsMax) this.moments.push(moment);
    return moment;
  }

  /** A plot over time, to which points are added. */
  lines(title: string, unit: string, shape: LinePlot['shape'] = 'line'): LinePlot {
    const plot: LinePlot = { kind: 'lines', title, unit, shape, series: new Map() };
    this.plots.push(plot);
    return plot;
  }

  /** One value of this moment. */
  point(plot: LinePlot, series: string, value: number): void {
    const points = plot.series.get(series) ?? [];
    points.push([this.elapsedMs, value]);
    plot.series.set(
      series,
      points.length > pointsMax ? points.filter((_, index) => index % 2 === 0) : points,
    );
  }

  bars(title: string, unit: string, bars: BarPlot['bars']): void {
    this.plots.push({ kind: 'bars', title, unit, bars });
  }
}
