/**
 * Segments: the files of a log, batches back to back, named by the offset of their first record.
 * The active segment is the last one and the only one that is written. A sealed one never changes,
 * except that it goes as a whole, or is cut by truncation and becomes the active one again.
 */
import { type Offset, offset } from '../../proto/model/offset.ts';
import { writeAll } from '../../proto/ports/file-system.ts';
import type { SparseIndex } from './core/sparse-index.ts';
import type { HandleLease, HandlePool } from './handle-pool.ts';
import type { LogBatch } from './log-batch.ts';
import type { LogContext } from './log-context.ts';

/** A segment that is read only. */
export interface SealedSegment {
  readonly kind: 'sealed';
  readonly baseOffset: Offset;
  /** Exclusive: the base of the next segment. */
  readonly endOffset: Offset;
  readonly bytes: number;
  readonly path: string;
  /** Undefined until somebody looks something up in it. */
  index: SparseIndex | undefined;
}

/** Any segment. */
export type Segment = SealedSegment | ActiveSegment;

/** A stretch of batches that goes to the segment in one write. */
export interface WriteGroup {
  readonly buffers: readonly Buffer[];
  readonly batches: readonly LogBatch[];
  readonly bytes: number;
}

/** The segment that is appended to. Owned by the log's writer. */
export class ActiveSegment {
  readonly kind = 'active';
  readonly baseOffset: Offset;
  readonly path: string;
  readonly index: SparseIndex;
  /** True while a write is in flight: some of its bytes may be in the file and not counted yet. */
  isWriting = false;
  /** Wall-clock time of its first write by this process; 0 until then. */
  beganMs = 0;
  /** Bytes that have been written, which is also where the next batch goes. */
  #bytes: number;
  /** Exclusive end of what has been written. */
  #endOffset: Offset;
  readonly #handles: HandlePool;
  #lease: HandleLease | undefined;

  constructor(
    handles: HandlePool,
    place: { readonly path: string; readonly baseOffset: Offset },
    content: { readonly bytes: number; readonly endOffset: Offset; readonly index: SparseIndex },
  ) {
    this.#handles = handles;
    this.path = place.path;
    this.baseOffset = place.baseOffset;
    this.#bytes = content.bytes;
    this.#endOffset = content.endOffset;
    this.index = content.index;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get endOffset(): Offset {
    return this.#endOffset;
  }

  /** Writes a group behind the last one. After a failure the file may hold part of it: `cutBack`. */
  async write(group: WriteGroup, { watch, clock, rules }: LogContext): Promise<void> {
    this.isWriting = true;
    const begun = watch.begins();
    try {
      this.#lease ??= await this.#handles.lease(this.path, 'create');
      if (this.#bytes === 0 || this.beganMs === 0) this.beganMs = clock.wall();
      const { handle } = this.#lease;
      if (rules.finishesWrites) await writeAll(handle, group.buffers, this.#bytes);
      else await handle.write(group.buffers, this.#bytes);
    } finally {
      this.isWriting = false;
      watch.ended(begun);
    }
    for (const { bytes, baseOffset, endOffset, maxTimestamp } of group.batches) {
      const { length } = bytes;
      this.index.add({ baseOffset, position: this.#bytes, bytes: length, maxTimestamp });
      this.#bytes += length;
      this.#endOffset = offset(endOffset);
    }
  }

  /** Removes what a failed write left behind the last whole batch (rule B5.3). */
  async cutBack({ rules }: LogContext): Promise<void> {
    // Without a lease the file was never opened: nothing of the write can be in it.
    if (rules.cutsBack) await this.#lease?.handle.truncate(this.#bytes);
  }

  /** fdatasync of everything written so far. */
  async sync(): Promise<void> {
    if (this.#lease !== undefined) await this.#lease.handle.sync();
  }

  /** Lets go of the file; only once its bytes are flushed. */
  release(): void {
    this.#lease?.release();
    this.#lease = undefined;
  }

  /** The read-only segment that this one becomes when the log rolls. */
  seal(): SealedSegment {
    return {
      kind: 'sealed',
      baseOffset: this.baseOffset,
      endOffset: this.#endOffset,
      bytes: this.#bytes,
      path: this.path,
      index: this.index,
    };
  }
}

/** The file name of a segment: 20 digits, so that names sort as offsets do. */
export function segmentFileName(baseOffset: number): string {
  return `${String(baseOffset).padStart(20, '0')}.log`;
}

/** The base offset in a file name; undefined for a foreign file, which is left alone. */
export function parseSegmentFileName(name: string): Offset | undefined {
  if (!/^[0-9]{20}\.log$/.test(name)) return undefined;
  const base = Number(name.slice(0, 20));
  return Number.isSafeInteger(base) ? offset(base) : undefined;
}
