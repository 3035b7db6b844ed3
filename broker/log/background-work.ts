/**
 * Work on logs that goes on beside everything else, such as compaction and scrub. Each piece has its
 * pace; before the files are closed all of it is stopped and waited for.
 */
import type { IoPace } from './io-pace.ts';

/** One per data directory. */
export class BackgroundWork {
  readonly #running = new Map<Promise<unknown>, IoPace>();
  #isClosed = false;

  /** Runs a piece; undefined once the directory is closing. */
  async run<Result>(pace: IoPace, work: () => Promise<Result>): Promise<Result | undefined> {
    if (this.#isClosed) return undefined;
    const running = work();
    this.#running.set(running, pace);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const pace of this.#running.values()) pace.stop();
    await Promise.allSettled(this.#running.keys());
  }
}
