/** How much is written and read, and how long a write takes, over up to two minutes. */
import { bytes, milliseconds } from './core/words.ts';
import { make } from './element.ts';
import { LineChart } from './line-chart.ts';
import type { PageState } from './page-state.ts';

export class RateCharts {
  readonly element: HTMLElement;
  readonly #state: PageState;
  readonly #traffic = new LineChart({
    title: 'Throughput',
    lines: [
      { name: 'written', colour: '--series-1', isFilled: true },
      { name: 'read', colour: '--series-2', dash: [6, 4] },
    ],
    format: (value) => `${bytes(value)}/s`,
    least: 1_000,
  });
  readonly #latency = new LineChart({
    title: 'Time to acknowledge',
    lines: [
      { name: 'median', colour: '--series-1' },
      { name: 'p99', colour: '--series-2', dash: [6, 4] },
    ],
    format: milliseconds,
    least: 5,
  });
  #drawnMs = 0;

  constructor(state: PageState) {
    this.#state = state;
    this.element = make('div', { class: 'charts' }, this.#traffic.element, this.#latency.element);
  }

  update(): void {
    const { samples } = this.#state.rates;
    const at = samples.at(-1)?.wallMs ?? 0;
    if (at === this.#drawnMs || samples.length < 2) return;
    this.#drawnMs = at;
    const times = samples.map(({ wallMs }) => wallMs / 1_000);
    this.#traffic.show([
      times,
      samples.map((one) => one.writtenBytesPerSecond),
      samples.map((one) => one.readBytesPerSecond),
    ]);
    this.#latency.show([
      times,
      samples.map((one) => one.p50Ms ?? null),
      samples.map((one) => one.p99Ms ?? null),
    ]);
  }

  repaint(): void {
    this.#traffic.repaint();
    this.#latency.repaint();
  }

  close(): void {
    this.#traffic.close();
    this.#latency.close();
  }
}
