/**
 * Makes written bytes durable, for all logs of a directory: one round at a time, and everything that
 * was written while a round was running goes into the next one (group commit). So the number of
 * fdatasyncs does not grow with the number of batches, and they never fill the thread pool.
 *
 * A failed flush is fatal to the node. It is never tried again: the kernel may have dropped the
 * bytes and would answer the second time that all is well (rule B5.2).
 */
import type { Offset } from '../../proto/model/offset.ts';
import type { Clock } from '../../proto/ports/clock.ts';
import { type FlushShare, planFlush } from './core/flush-plan.ts';
import type { FlushJournal, JournalUser } from './flush-journal.ts';
import type { IoWatch } from './io-watch.ts';
import type { JournalEntry } from './journal-format.ts';
import { sideBySide } from './side-by-side.ts';

/** A log with written bytes. */
export interface FlushTarget extends JournalUser {
  flushShare(): FlushShare | undefined;
  /** What the journal writes for this log, and up to where that stores it. */
  journalShare(): { readonly entries: JournalEntry[]; readonly upTo: Offset };
  /** The bytes go into their file after all, and into a later round. */
  writeFirst(): void;
  /** It had nothing for a round that it had asked for: what waits is looked at again. */
  skipped(): void;
  /** Runs the flush; on success what was written before is stored. */
  flushWith(flush: (upTo: Offset) => Promise<void>): Promise<void>;
  /** The same in two calls, for a flush that serves many logs; `undefined` if it failed. */
  flushBegins(): void;
  flushEnded(upTo: Offset | undefined): void;
  readonly files: { flush(upTo: Offset): Promise<void> };
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
  /** Rounds for which the journal stays in use. */
  #crowdedFor = 0;
  #hasFailed = false;

  constructor(options: FlushSchedulerOptions) {
    this.#options = options;
  }

  /** True while rounds touch so many logs that the journal takes them. */
  get isCrowded(): boolean {
    return this.#crowdedFor > 0;
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
    const others: FlushTarget[] = [];
    const unwritten: FlushTarget[] = [];
    const shares: FlushShare[] = [];
    for (const target of this.#waiting) {
      const share = target.flushShare();
      if (share === undefined) {
        // What waited for the journal may have to be written instead, since memory became scarce.
        target.skipped();
        continue;
      }
      if (share.inPlaceOnly) {
        inPlace.push(target);
        continue;
      }
      shares.push(share);
      if (share.isWritten) others.push(target);
      else unwritten.push(target);
    }
    this.#waiting = new Set();
    if (shares.length === 0) return flushEach(inPlace);

    const forJournal = [...others, ...unwritten];
    const { way, crowdedFor } = planFlush(shares, this.#crowdedFor);
    this.#crowdedFor = crowdedFor;
    if (way === 'journal') {
      const round = journalRound(forJournal);
      if (this.#options.journal.hasRoom(round.bytes, round.entries.length)) {
        await Promise.all([this.#writeJournal(round), flushEach(inPlace)]);
        return;
      }
    }
    for (const target of unwritten) target.writeFirst();
    await flushEach([...inPlace, ...others]);
  }

  /** No promise for each log: there may be thousands in a round. */
  async #writeJournal({ targets, entries, ends }: JournalRound): Promise<void> {
    for (const target of targets) target.flushBegins();
    try {
      await this.#options.journal.write(entries, targets);
    } catch (caught) {
      for (const target of targets) target.flushEnded(undefined);
      throw caught;
    }
    for (const [at, upTo] of ends.entries()) targets[at]?.flushEnded(upTo);
  }
}

/** What one round writes into the journal. */
interface JournalRound {
  readonly targets: readonly FlushTarget[];
  readonly entries: readonly JournalEntry[];
  readonly bytes: number;
  /** For each target, up to where it is stored then. */
  readonly ends: readonly Offset[];
}

function journalRound(targets: readonly FlushTarget[]): JournalRound {
  const entries: JournalEntry[] = [];
  const ends: Offset[] = [];
  let bytes = 0;
  for (const target of targets) {
    const share = target.journalShare();
    ends.push(share.upTo);
    for (const entry of share.entries) {
      entries.push(entry);
      bytes += entry.bytes;
    }
  }
  return { targets, entries, bytes, ends };
}

/** Few at a time: each holds one of the pool's threads, and others need them too. */
const flushesAtOnceMax = 4;

function flushEach(targets: readonly FlushTarget[]): Promise<void> {
  return sideBySide(targets, flushesAtOnceMax, async (target) => {
    const { files } = target;
    // While others were flushed the target may have begun work that wants to be alone.
    if (target.flushShare() === undefined) return;
    await target.flushWith((upTo) => files.flush(upTo));
  });
}
