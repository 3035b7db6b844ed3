/**
 * Makes written bytes durable, for all logs of a directory: one round at a time, and everything that
 * was written while a round was running goes into the next one (group commit). So the number of
 * fdatasyncs does not grow with the number of batches, and they never fill the thread pool.
 *
 * A failed flush is fatal to the node. It is never tried again: the kernel may have dropped the
 * bytes and would answer the second time that all is well (rule B5.2).
 */
import type { Clock } from '../../proto/ports/clock.ts';
import { type FlushShare, planFlush } from './core/flush-plan.ts';
import type { FlushJournal, JournalUser } from './flush-journal.ts';
import type { IoWatch } from './io-watch.ts';
import type { JournalEntry } from './journal-format.ts';

/** A log with written bytes. */
export interface FlushTarget extends JournalUser {
  flushShare(): FlushShare | undefined;
  journalEntries(): JournalEntry[];
  /** Runs the flush; what was written when it began is stored when it ends. */
  flushWith(flush: (upTo: number) => Promise<void>): Promise<void>;
  readonly files: { flush(upTo: number): Promise<void> };
}

/** What the scheduler rests on. */
export interface FlushSchedulerOptions {
  readonly clock: Clock;
  readonly journal: FlushJournal;
  readonly watch: IoWatch;
  onFatal(caught: unknown): void;
}

export class FlushScheduler {
  readonly #options: FlushSchedulerOptions;
  #waiting = new Set<FlushTarget>();
  #isRunning = false;
  #hasFailed = false;

  constructor(options: FlushSchedulerOptions) {
    this.#options = options;
  }

  /** The target has written bytes that shall be stored. */
  request(target: FlushTarget): void {
    this.#waiting.add(target);
    if (this.#isRunning || this.#hasFailed) return;
    this.#isRunning = true;
    // At the end of the turn, so that all that one turn completed shares a round.
    this.#options.clock.soon(() => void this.#run());
  }

  async #run(): Promise<void> {
    try {
      while (this.#waiting.size > 0) await this.#options.watch.watch(this.#round());
    } catch (caught) {
      this.#hasFailed = true;
      this.#options.onFatal(caught);
    } finally {
      this.#isRunning = false;
    }
  }

  async #round(): Promise<void> {
    const inPlace: FlushTarget[] = [];
    const journalled: FlushTarget[] = [];
    const shares: FlushShare[] = [];
    for (const target of this.#waiting) {
      // A target that may not be flushed at present asks again by itself.
      const share = target.flushShare();
      if (share === undefined) continue;
      if (share.inPlaceOnly) inPlace.push(target);
      else journalled.push(target);
      if (!share.inPlaceOnly) shares.push(share);
    }
    this.#waiting = new Set();
    if (planFlush(shares) === 'journal') {
      const entries = journalled.flatMap((target) => target.journalEntries());
      let bytes = 0;
      for (const entry of entries) bytes += entry.bytes;
      if (this.#options.journal.hasRoom(bytes, entries.length)) {
        const written = this.#options.journal.write(entries, journalled);
        const all = journalled.map((target) => target.flushWith(() => written));
        await Promise.all([...all, flushEach(inPlace)]);
        return;
      }
    }
    await flushEach([...inPlace, ...journalled]);
  }
}

/** Few at a time: each holds one of the pool's threads, and others need them too. */
const flushesAtOnceMax = 4;

async function flushEach(targets: readonly FlushTarget[]): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let target = targets[next++]; target !== undefined; target = targets[next++]) {
      const { files } = target;
      // While others were flushed the target may have begun work that wants to be alone.
      if (target.flushShare() === undefined) continue;
      await target.flushWith((upTo) => files.flush(upTo));
    }
  };
  await Promise.all(Array.from({ length: Math.min(flushesAtOnceMax, targets.length) }, worker));
}
