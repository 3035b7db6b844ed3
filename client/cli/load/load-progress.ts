/** What a load tells while it runs, and what it comes to. */
import type { Output, Row } from '../output.ts';

const everyMs = 1_000;

export class LoadProgress {
  readonly #output: Output;
  readonly #what: string;
  readonly #began = performance.now();
  readonly #cpuAtStart = process.cpuUsage();
  #records = 0;
  #bytes = 0;
  #toldAt = this.#began;
  #toldRecords = 0;

  constructor(output: Output, what: string) {
    this.#output = output;
    this.#what = what;
  }

  get records(): number {
    return this.#records;
  }

  /** Counts; tells once a second what was reached since it last did. */
  add(records: number, bytes: number): void {
    this.#records += records;
    this.#bytes += bytes;
    const now = performance.now();
    if (now - this.#toldAt < everyMs) return;
    const rate = ((this.#records - this.#toldRecords) / (now - this.#toldAt)) * 1000;
    this.#output.note(`${this.#records} records ${this.#what}, ${Math.round(rate)} a second`);
    this.#toldAt = now;
    this.#toldRecords = this.#records;
  }

  /** The result: counts, rates, and the CPU that this process took. */
  summary(): Row {
    const seconds = (performance.now() - this.#began) / 1000;
    const cpu = process.cpuUsage(this.#cpuAtStart);
    return {
      records: this.#records,
      seconds: rounded(seconds),
      recordsPerSecond: Math.round(this.#records / seconds),
      megabytesPerSecond: rounded(this.#bytes / 1e6 / seconds),
      clientCpuSeconds: rounded((cpu.user + cpu.system) / 1e6),
    };
  }
}

/** Three significant figures. */
export function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
