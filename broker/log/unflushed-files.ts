/**
 * The files of one log that hold bytes not flushed in place, and whether their names are durable.
 * A new file counts as flushed only once its directory is, and its directory once that one's parent
 * is (rule B5.1).
 *
 * Each such file stays open until it is flushed: a write-back error is reported to open handles only.
 *
 * A flush that fails is fatal here, whoever asked for it, and none is begun afterwards: the kernel may
 * have dropped the bytes and would answer the second time that all is well (rule B5.2).
 */
import { HighwaterError } from '../../proto/model/errors.ts';
import type { LogContext } from './log-context.ts';
import type { ActiveSegment } from './segment.ts';

/** Owned by one log's writer. */
export class UnflushedFiles {
  readonly #context: LogContext;
  readonly #folder: string;
  /** Oldest first; the active segment, if it is here, is the last. */
  readonly #segments = new Set<ActiveSegment>();
  /** Sealed ones are let go once they are flushed; the active one stays open. */
  readonly #sealed = new Set<ActiveSegment>();
  #hasNewFile = false;
  #isNewFolder = false;
  #flushedTo = 0;
  #chain: Promise<void> = Promise.resolve();

  constructor(context: LogContext, folder: string) {
    this.#context = context;
    this.#folder = folder;
  }

  get count(): number {
    return this.#segments.size;
  }

  /** The log's folder has just been made. */
  madeFolder(): void {
    this.#isNewFolder = true;
  }

  /** The segment is about to be written to. */
  writing(segment: ActiveSegment): void {
    if (segment.bytes === 0) this.#hasNewFile = true;
    this.#segments.add(segment);
  }

  /** The segment was sealed: it is closed as soon as it is flushed. */
  sealed(segment: ActiveSegment): void {
    if (this.#segments.has(segment)) this.#sealed.add(segment);
    else segment.release();
  }

  /** Offset up to which everything is flushed in place. */
  get flushedTo(): number {
    return this.#flushedTo;
  }

  /** Flushes what has been written, up to `upTo` or more; one flush of a log at a time. */
  flush(upTo: number): Promise<void> {
    const run = this.#chain.then(async () => {
      if (this.#context.fatal() !== undefined) {
        throw new HighwaterError(
          'STORAGE_ERROR',
          'Storage has failed: nothing is flushed any more.',
        );
      }
      try {
        await this.#context.watch.watch(this.#flushOnce());
      } catch (caught) {
        if (!this.#context.rules.flushesOnce) return this.#flushOnce();
        this.#context.onFatal(caught);
        throw caught;
      }
      this.#flushedTo = Math.max(this.#flushedTo, upTo);
    });
    this.#chain = run.catch(() => undefined);
    return run;
  }

  /** The files were cut or replaced: nothing here is unflushed any more. */
  clear(): void {
    for (const segment of this.#sealed) segment.release();
    this.#segments.clear();
    this.#sealed.clear();
    this.#flushedTo = 0;
    this.#hasNewFile = false;
    this.#isNewFolder = false;
  }

  async #flushOnce(): Promise<void> {
    const flushed = [...this.#segments].map((segment) => ({ segment, bytes: segment.bytes }));
    const hadNewFile = this.#hasNewFile;
    const hadNewFolder = this.#isNewFolder;
    // A file whose first write is in flight may not even exist yet: the next flush sees to its name.
    this.#hasNewFile = flushed.some(({ bytes }) => bytes === 0);
    this.#isNewFolder = false;

    const { rules } = this.#context;
    if (rules.flushesFiles) for (const { segment } of flushed) await segment.sync();
    if (hadNewFile && rules.flushesNames) await this.#context.fs.syncDirectory(this.#folder);
    if (hadNewFolder) await this.#context.fs.syncDirectory(parentOf(this.#folder));

    for (const { segment, bytes } of flushed) {
      // Written to meanwhile, or being written to: it stays unflushed.
      if (segment.bytes !== bytes || segment.isWriting) continue;
      this.#segments.delete(segment);
      if (this.#sealed.delete(segment)) segment.release();
    }
  }
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}
