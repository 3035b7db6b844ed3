/**
 * The write side of one log: batches that were accepted wait in order, one write is in flight, and
 * everything that arrived meanwhile goes into the next one. A group flush then makes many writes
 * durable at once.
 *
 * accepted → written (in the file) → stored (durable, or in the page cache for flush=os).
 *
 * Invariants: (1) stored <= written <= accepted, all on batch boundaries;
 *             (2) bytes above `stored` are held in memory until they are stored, so that the
 *                 journal can write them again;
 *             (3) while `exclusive` work runs, no write and no flush of this log is in flight.
 * A failed write or flush ends the writer: it takes nothing any more until it is opened again.
 */
import { type Offset, offset } from '../../proto/model/offset.ts';
import type { BatchHeader } from '../../proto/wire/batch-header.ts';
import type { FlushShare } from './core/flush-plan.ts';
import { shouldRoll } from './core/roll-policy.ts';
import type { JournalEntry } from './journal-format.ts';
import type { LogConfig } from './log-config.ts';
import type { LogContext } from './log-context.ts';
import type { LogKey } from './log-key.ts';
import type { LogPlace } from './log-record.ts';
import type { ActiveSegment, WriteGroup } from './segment.ts';
import type { SegmentSet } from './segment-set.ts';
import { UnflushedFiles } from './unflushed-files.ts';

/** What the writer needs of its log. */
export interface WriterHost {
  readonly key: LogKey;
  readonly folder: string;
  config(): LogConfig;
  /** Loads the segments, and marks the log as active before anything counts as stored. */
  openForWriting(): Promise<SegmentSet>;
  onWritten(end: Offset): void;
  onStored(end: Offset): void;
  onFailure(caught: unknown, cutTo: Offset): void;
}

interface PendingBatch {
  readonly bytes: Buffer;
  readonly header: BatchHeader;
}

/** A written group that is not stored yet. */
interface UnstoredGroup {
  readonly segmentBase: Offset;
  readonly position: number;
  readonly endOffset: Offset;
  readonly group: WriteGroup;
}

/** IOV_MAX is 1024; small batches are gathered into one buffer instead. */
const buffersPerWriteMax = 512;
const smallBatchBytes = 4096;

export class LogWriter {
  readonly #context: LogContext;
  readonly #host: WriterHost;
  readonly files: UnflushedFiles;
  #pending: PendingBatch[] = [];
  #pendingBytes = 0;
  #unstored: UnstoredGroup[] = [];
  #unstoredBytes = 0;
  #written: Offset;
  #stored: Offset;
  #isWriting = false;
  #isPumpDue = false;
  #flushes = 0;
  #holds = 0;
  #hasFailed = false;
  #whenIdle: (() => void)[] = [];
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
    return this.#pendingBytes + this.#unstoredBytes;
  }

  /** True while something waits, is being written or flushed, or waits for either. */
  get isBusy(): boolean {
    return this.#isWriting || this.#flushes > 0 || this.#pending.length > 0 || this.#holds > 0;
  }

  enqueue(bytes: Buffer, header: BatchHeader): void {
    this.#pending.push({ bytes, header });
    this.#pendingBytes += bytes.length;
    this.#context.unstored.add(bytes.length);
    this.#schedulePump();
  }

  /** Runs work alone: what was in flight has ended, nothing begins before the work is done. */
  exclusive<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#holds++;
    const run = this.#exclusiveChain.then(async () => {
      await this.#idle();
      return work();
    });
    const done = (): void => {
      this.#holds--;
      this.#schedulePump();
      this.requestFlush();
    };
    this.#exclusiveChain = run.then(done, done);
    return run;
  }

  /** Resolves when everything below `end` has been written, or never will be. */
  async reached(end: Offset): Promise<void> {
    while (this.#written < end && !this.#hasFailed) {
      await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
    }
  }

  /** Only in exclusive work: the log ends here now, whatever was accepted or unstored above is gone. */
  reset(end: Offset): void {
    this.#context.unstored.add(-this.unstoredBytes);
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#unstored = [];
    this.#unstoredBytes = 0;
    this.#written = end;
    this.#stored = end;
    this.#hasFailed = false;
    this.files.clear();
  }

  // What the flush scheduler asks of a log.

  /** Undefined if there is nothing to flush, or not now. */
  flushShare(): FlushShare | undefined {
    if (this.#holds > 0 || this.#hasFailed || this.#unstored.length === 0) return undefined;
    return { files: this.files.count, bytes: this.#unstoredBytes };
  }

  /** The bytes that a journal round would write again. */
  journalEntries(): JournalEntry[] {
    return this.#unstored.map(({ segmentBase, position, group }) => ({
      key: this.#host.key,
      segmentBase,
      position,
      buffers: group.buffers,
      bytes: group.bytes,
    }));
  }

  /** Runs one flush of what is written now; on success that is stored. */
  async flushWith(flush: () => Promise<void>): Promise<void> {
    const upTo = this.#written;
    this.#flushes++;
    try {
      await flush();
      this.#advanceStored(upTo);
    } catch (caught) {
      this.#hasFailed = true;
      throw caught;
    } finally {
      this.#flushes--;
      this.#wake();
    }
  }

  /** fdatasync of every file with unflushed bytes; resolves to the place up to which all is flushed. */
  async flushInPlace(place: () => LogPlace): Promise<LogPlace> {
    let reached = place();
    await this.flushWith(async () => {
      reached = place();
      await this.files.flush();
    });
    return reached;
  }

  requestFlush(): void {
    if (this.#unstored.length > 0 && !this.#hasFailed) this.#context.flusher.request(this);
  }

  #schedulePump(): void {
    if (this.#isPumpDue || this.#pending.length === 0) return;
    this.#isPumpDue = true;
    this.#context.clock.soon(() => {
      this.#isPumpDue = false;
      if (this.#isWriting || this.#holds > 0 || this.#hasFailed || this.#pending.length === 0)
        return;
      this.#isWriting = true;
      void this.#writePending();
    });
  }

  async #writePending(): Promise<void> {
    let active: ActiveSegment | undefined;
    try {
      const segments = await this.#host.openForWriting();
      while (this.#pending.length > 0 && this.#holds === 0) {
        active = this.#segmentFor(segments);
        const group = this.#takeGroup(active);
        this.files.written(active);
        const position = active.bytes;
        await active.write(group, this.#context.clock.wall());
        this.#afterWrite(active, position, group);
      }
    } catch (caught) {
      await this.#failWrite(caught, active);
    } finally {
      this.#isWriting = false;
      this.#wake();
    }
  }

  /** The segment for the next batch: the active one, or a fresh one where that is full. */
  #segmentFor(segments: SegmentSet): ActiveSegment {
    const next = this.#pending[0]?.bytes.length ?? 0;
    const facts = { bytes: segments.active.bytes, beganMs: segments.active.beganMs };
    const nowMs = this.#context.clock.wall();
    if (shouldRoll(this.#host.config(), facts, { bytes: next, nowMs })) {
      this.files.sealed(segments.roll());
    }
    return segments.active;
  }

  /** As many of the waiting batches as fit one write and the segment; at least one. */
  #takeGroup(active: ActiveSegment): WriteGroup {
    const room = this.#host.config().segmentBytes - active.bytes;
    const bytesMax = Math.min(room, this.#context.limits.writeBytesMax);
    let bytes = 0;
    let count = 0;
    for (const batch of this.#pending) {
      if (count > 0 && (bytes + batch.bytes.length > bytesMax || count >= buffersPerWriteMax))
        break;
      bytes += batch.bytes.length;
      count++;
    }
    const taken = this.#pending.splice(0, count);
    this.#pendingBytes -= bytes;
    this.#unstoredBytes += bytes;
    const buffers = taken.map((batch) => batch.bytes);
    const areSmall = count > 1 && bytes / count < smallBatchBytes;
    return {
      buffers: areSmall ? [Buffer.concat(buffers, bytes)] : buffers,
      headers: taken.map((batch) => batch.header),
      bytes,
    };
  }

  #afterWrite(active: ActiveSegment, position: number, group: WriteGroup): void {
    this.#written = active.endOffset;
    const { baseOffset: segmentBase, endOffset } = active;
    this.#unstored.push({ segmentBase, position, endOffset, group });
    this.#host.onWritten(this.#written);
    this.#wake();
    if (this.#host.config().flush === 'os') this.#advanceStored(this.#written);
    else this.requestFlush();
  }

  #advanceStored(upTo: Offset): void {
    let count = 0;
    let bytes = 0;
    for (const unstored of this.#unstored) {
      if (unstored.endOffset > upTo) break;
      bytes += unstored.group.bytes;
      count++;
    }
    this.#unstored.splice(0, count);
    this.#unstoredBytes -= bytes;
    this.#context.unstored.add(-bytes);
    if (upTo <= this.#stored) return;
    this.#stored = upTo;
    this.#host.onStored(upTo);
  }

  /** The file is cut back to its last whole batch; what was accepted above is told to be lost. */
  async #failWrite(caught: unknown, active: ActiveSegment | undefined): Promise<void> {
    this.#hasFailed = true;
    let cause = caught;
    try {
      await active?.cutBack();
    } catch (second) {
      cause = second;
      this.#context.onFatal(second);
    }
    this.#host.onFailure(cause, offset(this.#written));
  }

  async #idle(): Promise<void> {
    while (this.#isWriting || this.#flushes > 0) {
      await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
    }
  }

  #wake(): void {
    const waiting = this.#whenIdle;
    this.#whenIdle = [];
    for (const wake of waiting) wake();
    this.#schedulePump();
  }
}
