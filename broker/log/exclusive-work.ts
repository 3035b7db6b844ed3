/**
 * Work that wants a log for itself: it begins when everything in flight has ended, and nothing begins
 * before it is done. One piece of work at a time, in the order of the calls.
 */

/** What the gate asks its owner. */
export interface ExclusiveHost {
  /** True while something is in flight; the owner calls `ended` whenever something ends. */
  isBusy(): boolean;
  /** Work is done: what was held back may go on. */
  onReleased(): void;
}

export class ExclusiveWork {
  readonly #host: ExclusiveHost;
  #holds = 0;
  #chain: Promise<unknown> = Promise.resolve();
  #waiting: (() => void)[] = [];

  constructor(host: ExclusiveHost) {
    this.#host = host;
  }

  /** True while work runs or waits: nothing may begin. */
  get isHeld(): boolean {
    return this.#holds > 0;
  }

  run<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#holds++;
    const run = this.#chain.then(async () => {
      while (this.#host.isBusy()) await this.somethingEnds();
      return work();
    });
    const done = (): void => {
      this.#holds--;
      this.#host.onReleased();
    };
    this.#chain = run.then(done, done);
    return run;
  }

  /** Resolves when no work runs or waits. */
  async released(): Promise<void> {
    while (this.#holds > 0) await this.#chain;
  }

  /** Resolves the next time that `ended` is called. */
  somethingEnds(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  ended(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}
