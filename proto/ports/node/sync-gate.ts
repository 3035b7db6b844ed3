/**
 * Bounds how many fsyncs run at once. Each holds one thread of libuv's pool for as long as the disk
 * takes, and with every thread held reads, DNS and compression wait too (rule B5.9's slow disk), so
 * some threads always stay free.
 */
export class SyncGate {
  readonly #runningMax: number;
  #runningCount = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(runningMax: number) {
    this.#runningMax = runningMax;
  }

  /** Runs the sync when it is its turn; in the order of the calls. */
  async run<Value>(sync: () => Promise<Value>): Promise<Value> {
    if (this.#runningCount < this.#runningMax) this.#runningCount++;
    else {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
    try {
      return await sync();
    } finally {
      const next = this.#waiting.shift();
      // The place is handed on, so nobody can slip in between.
      if (next === undefined) this.#runningCount--;
      else next();
    }
  }
}

/** Half of the pool: the other half serves reads and writes. */
export function syncsAtOnce(threadPoolSize: number): number {
  return Math.max(1, Math.floor(threadPoolSize / 2));
}
