/**
 * The write side of one log: batches that were accepted wait in order, one write is in flight, and
 * everything that arrived meanwhile goes into the next one. A group flush then makes many writes
 * durable at once.
 *
 * accepted → written (in the file) → stored (durable, or in the page cache for flush=os).
 *
 * While many logs are busy the order is another: small appends go into the journal first, which
 * stores them, and are written behind it, many at a time. Their place in the file is fixed by then.
 *
 * Invariants: (1) stored and written are at most accepted, all on batch boundaries;
 *             (2) bytes above either are held in memory;
 *             (3) while `exclusive` work runs, no write and no flush of this log is in flight;
 *             (4) the segment does not roll below `stored`.
 * A failed write or flush stops the writer: it takes nothing until `reset`.
 */
import type { Offset } from '../../proto/model/offset.ts';
import type { FlushShare } from './core/flush-plan.ts';
import { shouldRoll } from './core/roll-policy.ts';
import { ExclusiveWork } from './exclusive-work.ts';
import type { JournalEntry } from './journal-format.ts';
import type { LogBatch } from './log-batch.ts';
import type { LogContext } from './log-context.ts';
import { PendingBatches } from './pending-batches.ts';
import type { ActiveSegment, WriteGroup } from './segment.ts';
import type { SegmentSet } from './segment-set.ts';
import { UnflushedFiles } from './unflushed-files.ts';
import { UnstoredGroups } from './unstored-groups.ts';
import { WriteTrouble } from './write-trouble.ts';
import type { WriterHost } from './writer-host.ts';

/** Bytes of one log that may be in the journal and not in their segment: one write takes all. */
const behindBytesMax = 128 * 1024;

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
  /** The open segments, once the log is marked and may be written. */
  #segments: SegmentSet | undefined;
  /** Somebody needs the file to hold everything: nothing is written behind. */
  #mustWrite = false;
  #isWriting = false;
  #isPumpDue = false;
  #flushes = 0;
  readonly #exclusive = new ExclusiveWork({
    isBusy: () => this.#isWriting || this.#flushes > 0,
    onReleased: () => {
      this.#schedulePump();
      this.#requestFlush();
    },
  });
  readonly #trouble: WriteTrouble;

  constructor(context: LogContext, host: WriterHost, end: Offset) {
    this.#context = context;
    this.#host = host;
    this.#trouble = new WriteTrouble(context, host);
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

  enqueue(batch: LogBatch): void {
    this.#pending.push(batch);
    this.#context.unstored.add(batch.bytes.length);
    this.#schedulePump();
  }

  /** Runs work alone: what was in flight has ended, nothing begins before the work is done. */
  exclusive<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#exclusive.run(work);
  }

  /** Resolves when everything below `end` has been written, or never will be. */
  async reached(end: Offset): Promise<void> {
    while (this.#written < end && !this.#trouble.hasFailed) {
      this.#mustWrite = true;
      this.#schedulePump();
      await this.#exclusive.somethingEnds();
    }
  }

  /** The log is unloaded: the next write opens it again. */
  rest(): void {
    this.#segments = undefined;
  }

  /** Only in exclusive work: the log ends here, flushed in place; what was accepted above is gone. */
  reset(end: Offset): void {
    this.#context.unstored.add(-this.unstoredBytes);
    this.#pending.clear();
    this.#unstored.clear();
    this.#written = end;
    this.#stored = end;
    this.#unflushedTo = 0;
    this.#trouble.hasFailed = false;
    this.#mustWrite = false;
    this.#segments = undefined;
    this.files.clear();
  }

  /** What a flush round would flush; undefined if there is nothing, or not now. */
  flushShare(): FlushShare | undefined {
    if (this.#exclusive.isHeld || this.#trouble.hasFailed) return undefined;
    const inPlaceOnly = this.#unflushedTo > this.files.flushedTo;
    const written = this.#unstored.bytes;
    if (written > 0)
      return { files: this.files.count, bytes: written, inPlaceOnly, isWritten: true };
    const bytes = this.#pending.freshBytes;
    if (bytes === 0 || this.#isWriting || !this.#isForJournal()) return undefined;
    return { files: 1, bytes, inPlaceOnly: false, isWritten: false };
  }

  /** The bytes that a journal round writes, and up to where the log is stored by it. */
  journalShare(): { readonly entries: JournalEntry[]; readonly upTo: Offset } {
    const { key } = this.#host;
    if (this.#unstored.bytes > 0 || this.#segments === undefined) {
      return { entries: this.#unstored.journalEntries(key), upTo: this.#written };
    }
    return this.#pending.journalShare(key, this.#segments.active);
  }

  /** The round is none for the journal: what waits is written first, as usual. */
  writeFirst(): void {
    this.#mustWrite = true;
    this.#schedulePump();
  }

  /** Whether to journal or to write is decided again: the reasons may have changed since it asked. */
  skipped(): void {
    this.#schedulePump();
  }

  /** Runs one flush of what is written now; on success that is stored. */
  async flushWith(flush: (upTo: Offset) => Promise<void>): Promise<void> {
    const upTo = this.#written;
    let reached: Offset | undefined;
    this.flushBegins();
    try {
      await flush(upTo);
      reached = upTo;
    } finally {
      this.flushEnded(reached);
    }
  }

  /** A flush is in flight: no exclusive work begins until it has ended. */
  flushBegins(): void {
    this.#flushes++;
  }

  /** Everything below `upTo` is stored; undefined after a failure. */
  flushEnded(upTo: Offset | undefined): void {
    if (upTo === undefined) this.#trouble.hasFailed = true;
    else this.#advanceStored(upTo);
    this.#flushes--;
    this.#exclusive.ended();
  }

  /** Flushes in place what the journal holds of this log, which forgets it; after a failure too. */
  async flushBehind(): Promise<void> {
    await this.#exclusive.released();
    await this.reached(this.#stored);
    await this.#exclusive.released();
    await this.flushWith((upTo) => this.files.flush(upTo));
  }

  #requestFlush(): void {
    if (this.#unstored.bytes > 0 && !this.#trouble.hasFailed) this.#context.flusher.request(this);
  }

  /** At the end of the turn, so that all that one turn accepted goes into one write. */
  #schedulePump(): void {
    if (this.#isPumpDue || this.#isWriting || this.#trouble.waitsForRoom) return;
    if (this.#pending.isEmpty) return;
    this.#isPumpDue = true;
    this.#context.clock.soon(this.#pump);
  }

  readonly #pump = (): void => {
    this.#isPumpDue = false;
    if (this.#isWriting || this.#exclusive.isHeld || this.#trouble.hasFailed) return;
    if (this.#pending.isEmpty) return;
    if (!this.#isForJournal()) {
      this.#isWriting = true;
      void this.#writePending();
    } else if (this.#pending.freshBytes > 0) this.#context.flusher.request(this);
  };

  /** True while what waits is better stored by the journal than written at once. */
  #isForJournal(): boolean {
    const { flusher, unstored } = this.#context;
    const active = this.#segments?.active;
    if (active === undefined || this.#mustWrite) return false;
    if (!flusher.isCrowded || this.#host.config().flush === 'os') return false;
    if (this.#unstored.bytes > 0 || this.#unflushedTo > this.files.flushedTo) return false;
    if (this.#pending.bytes > behindBytesMax || unstored.isHalfUsed) return false;
    return active.bytes + this.#pending.bytes <= this.#host.config().segmentBytes;
  }

  async #writePending(): Promise<void> {
    let active: ActiveSegment | undefined;
    try {
      // Open and marked until `rest` or `reset` says otherwise.
      const segments = this.#segments ?? (await this.#host.openForWriting());
      this.#segments = segments;
      while (!this.#pending.isEmpty && !this.#exclusive.isHeld) {
        active = this.#segmentFor(segments);
        const room = this.#host.config().segmentBytes - active.bytes;
        const group = this.#pending.take(Math.min(room, this.#context.limits.writeBytesMax));
        const position = active.bytes;
        this.files.writing(active);
        await this.#writeTo(active, group);
        const { baseOffset: segmentBase, endOffset } = active;
        if (endOffset <= this.#stored) this.#context.unstored.add(-group.bytes);
        else this.#unstored.push({ segmentBase, position, endOffset, group });
        this.#afterWrite(endOffset);
        if (this.#isForJournal()) break; // It was written behind the journal, which takes the rest.
      }
      if (this.#pending.isEmpty) this.#mustWrite = false;
    } catch (caught) {
      await this.#failWrite(caught, active);
    } finally {
      this.#isWriting = false;
      this.#exclusive.ended();
      this.#schedulePump();
    }
  }

  /** The segment for the next batch: the active one, or a fresh one where that is full. */
  #segmentFor(segments: SegmentSet): ActiveSegment {
    const next = { bytes: this.#pending.nextBytes, nowMs: this.#context.clock.wall() };
    const isPlaced = segments.active.endOffset < this.#stored;
    if (!isPlaced && shouldRoll(this.#host.config(), segments.active, next)) {
      this.files.sealed(segments.roll());
    }
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
    this.#exclusive.ended();
  }

  #advanceStored(upTo: Offset): void {
    this.#context.unstored.add(-this.#unstored.release(upTo));
    this.#pending.journalledTo(upTo);
    if (upTo <= this.#stored) return;
    this.#stored = upTo;
    this.#host.onStored();
  }

  async #writeTo(active: ActiveSegment, group: WriteGroup): Promise<void> {
    try {
      await active.write(group, this.#context);
    } catch (caught) {
      this.#pending.putBack(group, this.#stored);
      throw caught;
    }
  }

  #failWrite(caught: unknown, active: ActiveSegment | undefined): Promise<void> {
    return this.#trouble.failed(caught, active, {
      isAcknowledged: this.#stored > this.#written,
      onGivenUp: () => this.#host.onFailure(caught, this.#written),
      onRetry: () => this.#schedulePump(),
    });
  }
}
