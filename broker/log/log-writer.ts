/**
 * The write side of one log: batches that were accepted wait in order, one write is in flight, and
 * everything that arrived meanwhile goes into the next one. A group flush then makes many writes
 * durable at once.
 *
 * accepted → written (in the file) → stored (durable, or in the page cache for flush=os).
 *
 * Invariants: (1) stored <= written <= accepted, all on batch boundaries;
 *             (2) bytes above `stored` are held in memory, so that the journal can write them again;
 *             (3) while `exclusive` work runs, no write and no flush of this log is in flight.
 * A failed write or flush stops the writer: it takes nothing until `reset`.
 */
import type { Offset } from '../../proto/model/offset.ts';
import type { BatchHeader } from '../../proto/wire/batch-header.ts';
import type { FlushShare } from './core/flush-plan.ts';
import { shouldRoll } from './core/roll-policy.ts';
import type { JournalEntry } from './journal-format.ts';
import type { LogConfig } from './log-config.ts';
import type { LogContext } from './log-context.ts';
import type { LogKey } from './log-key.ts';
import type { LogPlace } from './log-record.ts';
import { PendingBatches } from './pending-batches.ts';
import type { ActiveSegment } from './segment.ts';
import type { SegmentSet } from './segment-set.ts';
import { UnflushedFiles } from './unflushed-files.ts';
import { UnstoredGroups } from './unstored-groups.ts';

/** What the writer needs of its log. */
export interface WriterHost {
  readonly key: LogKey;
  readonly folder: string;
  config(): LogConfig;
  /** Loads the segments, and marks the log as active before anything counts as stored. */
  openForWriting(): Promise<SegmentSet>;
  onWritten(end: Offset): void;
  onStored(): void;
  /** The write failed and the file was cut back: the log ends at `end`, unless that is fatal too. */
  onFailure(caught: unknown, end: Offset): void;
}

export class LogWriter {
  readonly files: UnflushedFiles;
  readonly #context: LogContext;
  readonly #host: WriterHost;
  readonly #pending = new PendingBatches();
  readonly #unstored = new UnstoredGroups();
  #written: Offset;
  #stored: Offset;
  /** Up to here bytes counted as stored without any flush: the journal does not have them. */
  #unflushedTo = 0;
  #isWriting = false;
  #isPumpDue = false;
  #flushes = 0;
  #holds = 0;
  #hasFailed = false;
  #waiting: (() => void)[] = [];
  #exclusiveChain: Promise<unknown> = Promise.resolve();

  constructor(context: LogContext, host: WriterHost, end: Offset) {
    this.#context = context;
    this.#host = host;
    this.#written = end;
    this.#stored = end;
    this.files = new UnflushedFiles(context, host.folder);
  }

  get written(): Offset {
    return this.#written;
  }

  get stored(): Offset {
    return this.#stored;
  }

  /** Accepted and not yet stored. */
  get unstoredBytes(): number {
    return this.#pending.bytes + this.#unstored.bytes;
  }

  enqueue(bytes: Buffer, header: BatchHeader): void {
    this.#pending.push(bytes, header);
    this.#context.unstored.add(bytes.length);
    this.#schedulePump();
  }

  /** Runs work alone: what was in flight has ended, nothing begins before the work is done. */
  exclusive<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#holds++;
    const run = this.#exclusiveChain.then(async () => {
      while (this.#isWriting || this.#flushes > 0) await this.#somethingEnded();
      return work();
    });
    const done = (): void => {
      this.#holds--;
      this.#schedulePump();
      this.#requestFlush();
    };
    this.#exclusiveChain = run.then(done, done);
    return run;
  }

  /** Resolves when everything below `end` has been written, or never will be. */
  async reached(end: Offset): Promise<void> {
    while (this.#written < end && !this.#hasFailed) await this.#somethingEnded();
  }

  /** Only in exclusive work: the log ends here, flushed in place; what was accepted above is gone. */
  reset(end: Offset): void {
    this.#context.unstored.add(-this.unstoredBytes);
    this.#pending.clear();
    this.#unstored.clear();
    this.#written = end;
    this.#stored = end;
    this.#unflushedTo = 0;
    this.#hasFailed = false;
    this.files.clear();
  }

  /** What a flush round would flush; undefined if there is nothing, or not now. */
  flushShare(): FlushShare | undefined {
    if (this.#holds > 0 || this.#hasFailed || this.#unstored.bytes === 0) return undefined;
    return {
      files: this.files.count,
      bytes: this.#unstored.bytes,
      inPlaceOnly: this.#unflushedTo > this.files.flushedTo,
    };
  }

  /** The bytes that a journal round writes again. */
  journalEntries(): JournalEntry[] {
    return this.#unstored.journalEntries(this.#host.key);
  }

  /** Runs one flush of what is written now; on success that is stored. */
  async flushWith(flush: (upTo: Offset) => Promise<void>): Promise<void> {
    const upTo = this.#written;
    this.#flushes++;
    try {
      await flush(upTo);
      this.#advanceStored(upTo);
    } catch (caught) {
      this.#hasFailed = true;
      throw caught;
    } finally {
      this.#flushes--;
      this.#somethingEnds();
    }
  }

  /** fdatasync of every file with unflushed bytes; resolves to the place up to which all is flushed. */
  async flushInPlace(place: () => LogPlace): Promise<LogPlace> {
    let reached = place();
    await this.flushWith((upTo) => {
      reached = place();
      return this.files.flush(upTo);
    });
    return reached;
  }

  /** Flushes in place what the journal holds of this log, so that the journal may forget it. */
  async flushBehind(): Promise<void> {
    while (this.#holds > 0) await this.#exclusiveChain;
    if (!this.#hasFailed) await this.flushWith((upTo) => this.files.flush(upTo));
  }

  #requestFlush(): void {
    if (this.#unstored.bytes > 0 && !this.#hasFailed) this.#context.flusher.request(this);
  }

  /** At the end of the turn, so that all that one turn accepted goes into one write. */
  #schedulePump(): void {
    if (this.#isPumpDue || this.#isWriting || this.#pending.isEmpty) return;
    this.#isPumpDue = true;
    this.#context.clock.soon(() => {
      this.#isPumpDue = false;
      if (this.#isWriting || this.#holds > 0 || this.#hasFailed || this.#pending.isEmpty) return;
      this.#isWriting = true;
      void this.#writePending();
    });
  }

  async #writePending(): Promise<void> {
    let active: ActiveSegment | undefined;
    try {
      const segments = await this.#host.openForWriting();
      while (!this.#pending.isEmpty && this.#holds === 0) {
        active = this.#segmentFor(segments);
        const room = this.#host.config().segmentBytes - active.bytes;
        const group = this.#pending.take(Math.min(room, this.#context.limits.writeBytesMax));
        const position = active.bytes;
        this.files.writing(active);
        await this.#context.watch.watch(active.write(group, this.#context.clock.wall()));
        this.#unstored.push({
          segmentBase: active.baseOffset,
          position,
          endOffset: active.endOffset,
          group,
        });
        this.#afterWrite(active.endOffset);
      }
    } catch (caught) {
      await this.#failWrite(caught, active);
    } finally {
      this.#isWriting = false;
      this.#somethingEnds();
      this.#schedulePump();
    }
  }

  /** The segment for the next batch: the active one, or a fresh one where that is full. */
  #segmentFor(segments: SegmentSet): ActiveSegment {
    const facts = { bytes: segments.active.bytes, beganMs: segments.active.beganMs };
    const next = { bytes: this.#pending.nextBytes, nowMs: this.#context.clock.wall() };
    if (shouldRoll(this.#host.config(), facts, next)) this.files.sealed(segments.roll());
    return segments.active;
  }

  #afterWrite(end: Offset): void {
    this.#written = end;
    this.#host.onWritten(end);
    if (this.#host.config().flush === 'os') {
      this.#unflushedTo = end;
      this.#advanceStored(end);
    } else {
      this.#requestFlush();
    }
    this.#somethingEnds();
  }

  #advanceStored(upTo: Offset): void {
    this.#context.unstored.add(-this.#unstored.release(upTo));
    if (upTo <= this.#stored) return;
    this.#stored = upTo;
    this.#host.onStored();
  }

  /** The file is cut back to its last whole batch; what was accepted above is told to be lost. */
  async #failWrite(caught: unknown, active: ActiveSegment | undefined): Promise<void> {
    this.#hasFailed = true;
    try {
      await active?.cutBack();
      this.#host.onFailure(caught, this.#written);
    } catch (second) {
      // Partial bytes that cannot be removed would come back as a torn tail of somebody else's log.
      this.#context.onFatal(second);
    }
  }

  #somethingEnded(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #somethingEnds(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}
