/**
 * Counters, gauges and histograms in the text form that Prometheus reads. Names and labels are fixed
 * when a metric is made, so their number is bounded by the code and never by what clients send.
 */
export type Labels = Readonly<Record<string, string | number>>;

export interface Counter {
  add(amount?: number): void;
  readonly value: number;
}

export interface Histogram {
  observe(value: number): void;
}

/** A gauge is read when it is asked for: one sample, or one for each set of labels. */
export type GaugeSamples = () => number | Iterable<readonly [Labels, number]>;

/** What was counted in each class, and the sum of all values. */
export interface ClassCounts {
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly sum: number;
}

interface Metric {
  readonly name: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly meaning: string;
  lines(): string[];
}

/** Upper bounds in milliseconds: from a write to the page cache to a stalled disk. */
const latencyBoundsMs = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000];

export class MetricsRegistry {
  readonly #metrics = new Map<string, Metric>();

  counter(name: string, meaning: string): Counter {
    let value = 0;
    this.#add({ name, kind: 'counter', meaning, lines: () => [`${name} ${value}`] });
    return {
      add(amount = 1) {
        value += amount;
      },
      get value() {
        return value;
      },
    };
  }

  /** A total that is kept elsewhere and read when it is asked for. */
  total(name: string, meaning: string, read: () => number): void {
    this.#add({ name, kind: 'counter', meaning, lines: () => [`${name} ${read()}`] });
  }

  /** Counts by class that are kept elsewhere; the last class has no upper bound. */
  classes(name: string, meaning: string, read: () => ClassCounts): void {
    this.#add({
      name,
      kind: 'histogram',
      meaning,
      lines: () => {
        const { bounds, counts, sum } = read();
        let below = 0;
        const buckets = counts.map((count, index) => {
          below += count;
          return `${name}_bucket{le="${bounds[index] ?? '+Inf'}"} ${below}`;
        });
        return [...buckets, `${name}_sum ${sum}`, `${name}_count ${below}`];
      },
    });
  }

  gauge(name: string, meaning: string, samples: GaugeSamples): void {
    this.#add({
      name,
      kind: 'gauge',
      meaning,
      lines: () => {
        const read = samples();
        if (typeof read === 'number') return [`${name} ${read}`];
        return Array.from(read, ([labels, value]) => `${name}${labelText(labels)} ${value}`);
      },
    });
  }

  histogram(name: string, meaning: string): Histogram {
    const counts = new Float64Array(latencyBoundsMs.length + 1);
    let sum = 0;
    let count = 0;
    this.#add({
      name,
      kind: 'histogram',
      meaning,
      lines: () => {
        let below = 0;
        const buckets = latencyBoundsMs.map((bound, index) => {
          below += counts[index] ?? 0;
          return `${name}_bucket{le="${bound}"} ${below}`;
        });
        return [
          ...buckets,
          `${name}_bucket{le="+Inf"} ${count}`,
          `${name}_sum ${sum}`,
          `${name}_count ${count}`,
        ];
      },
    });
    return {
      observe(value) {
        let index = 0;
        while (index < latencyBoundsMs.length && value > (latencyBoundsMs[index] ?? 0)) index++;
        counts[index] = (counts[index] ?? 0) + 1;
        sum += value;
        count++;
      },
    };
  }

  /** Everything, in the order of registration. */
  text(): string {
    const blocks = Array.from(this.#metrics.values(), (metric) =>
      [
        `# HELP ${metric.name} ${metric.meaning}`,
        `# TYPE ${metric.name} ${metric.kind}`,
        ...metric.lines(),
      ].join('\n'),
    );
    return `${blocks.join('\n')}\n`;
  }

  /** Name, kind and meaning of each metric, for docs/metrics.md. */
  describe(): readonly {
    readonly name: string;
    readonly kind: string;
    readonly meaning: string;
  }[] {
    return Array.from(this.#metrics.values(), ({ name, kind, meaning }) => ({
      name,
      kind,
      meaning,
    }));
  }

  #add(metric: Metric): void {
    if (this.#metrics.has(metric.name))
      throw new Error(`metric ${metric.name} is registered twice`);
    this.#metrics.set(metric.name, metric);
  }
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}="${escaped(String(value))}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}
