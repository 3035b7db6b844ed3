/**
 * Reads from the files: whole batches, each checked before it is handed on (rule B5.4). A batch that
 * fails the check is answered with DAMAGED_LOG and never sent to anybody.
 *
 * Sequential readers are remembered by the place where their last read ended, so that the next one
 * begins exactly there.
 */
import { HighwaterError } from '../../proto/model/errors.ts';
import { type Offset, offset } from '../../proto/model/offset.ts';
import type { LogRules } from './core/rules.ts';
import { indexIntervalBytes } from './core/sparse-index.ts';
import type { HandleLease, HandlePool } from './handle-pool.ts';
import type { LogBatch } from './log-batch.ts';
import type { LogPlace } from './log-record.ts';
import { ReadAhead, type ReadPiece } from './read-ahead.ts';
import type { ReadBuffers } from './read-buffers.ts';
import type { Segment } from './segment.ts';
import { readFully } from './segment-scan.ts';
import type { SegmentSet } from './segment-set.ts';
import { damaged, takeBatches } from './take-batches.ts';

/** What a reader wants. */
export interface ReadRequest {
  readonly from: Offset;
  /** At least one batch is returned if there is any, however large. */
  readonly maxBytes: number;
  /** Exclusive: only batches that end at or below it. */
  readonly upTo: Offset;
}

/** Whole batches, in order. */
export interface LogRead {
  /** Each holds one or more whole batches. The first may begin below the offset that was asked for. */
  readonly buffers: readonly Buffer[];
  readonly bytes: number;
  /** Where to read on: the offset after the last batch, or the one asked for if there is none. */
  readonly endOffset: Offset;
  /**
   * Optional: nothing refers to the buffers any more, and their memory may be read into again. The
   * memory of a reader that never says so is collected. Only the first call counts.
   */
  giveBack(): void;
}

const placesRemembered = 16;
/** Shorter pieces are not read before somebody asks for them. */
const aheadBytesMin = 256 * 1024;

/** What readers of all logs share. */
export interface ReaderContext {
  readonly handles: HandlePool;
  readonly buffers: ReadBuffers;
  readonly rules: LogRules;
}

/** One per opened log. */
export class LogReader {
  readonly #context: ReaderContext;
  readonly segments: SegmentSet;
  readonly #ahead: ReadAhead;
  /** Where earlier reads ended, by offset; oldest first. */
  readonly #places = new Map<number, LogPlace>();
  /** The version of the segments that the places belong to. */
  #placesVersion = 0;
  /** Rises when the places become void: a read that began before leaves none. */
  #generation = 0;

  constructor(context: ReaderContext, segments: SegmentSet) {
    this.#context = context;
    this.segments = segments;
    this.#ahead = new ReadAhead(context.buffers);
  }

  /** Places are void once the log was cut or let go, or its files were exchanged. */
  forgetPlaces(): void {
    this.#places.clear();
    this.#ahead.clear();
    this.#generation++;
  }

  /** Reads on from one segment into the next only when the first has nothing more. */
  read(request: ReadRequest): Promise<LogRead> {
    return this.segments.consistently(() => this.#readOn(request));
  }

  async #readOn(request: ReadRequest): Promise<LogRead> {
    if (this.#placesVersion !== this.segments.version) {
      this.forgetPlaces();
      this.#placesVersion = this.segments.version;
    }
    let segment = this.segments.floor(request.from);
    while (segment !== undefined) {
      const found = await this.#readSegment(segment, request);
      if (found.bytes > 0) return found;
      segment = this.segments.after(segment);
      if (segment !== undefined && segment.baseOffset >= request.upTo) break;
    }
    return noBatches(request.from);
  }

  async #readSegment(segment: Segment, request: ReadRequest): Promise<LogRead> {
    const generation = this.#generation;
    const isSequential = this.#places.has(request.from);
    const start = await this.#startIn(segment, request.from);
    // Batches below the wanted one, back to the index entry, are read and skipped.
    const slack = start.offset === request.from ? 0 : indexIntervalBytes;
    let wanted = Math.min(request.maxBytes + slack, segment.bytes - start.position);
    if (wanted <= 0) return noBatches(request.from);
    const onEnd = (place: LogPlace): void => {
      if (generation !== this.#generation) return;
      this.#remember(segment, place);
      if (isSequential) this.#readAhead(lease, segment, { place, wanted });
    };
    const reading = this.#ahead.take(start);
    let ahead = reading === undefined ? undefined : await reading;
    const { handles, rules } = this.#context;
    const lease = await handles.lease(segment.path, 'write');
    try {
      for (;;) {
        const { piece, count } = ahead ?? (await this.#readPiece(lease, start.position, wanted));
        ahead = undefined;
        const taken = takeBatches(piece.bytes, count, { start, request, segment, rules, onEnd });
        if (taken.kind === 'batches') return { ...taken.read, giveBack: () => piece.giveBack() };
        piece.giveBack();
        if (taken.kind === 'none') return noBatches(request.from);
        // Not even one wanted batch fitted: read as much as it needs.
        const left = segment.bytes - start.position;
        if (piece.bytes.length >= left)
          throw damaged(segment, taken.needed, 'a batch is cut short');
        wanted = Math.min(left, Math.max(taken.needed, wanted * 2));
      }
    } finally {
      lease.release();
    }
  }

  async #readPiece({ handle }: HandleLease, position: number, wanted: number): Promise<ReadPiece> {
    const piece = this.#context.buffers.lend(wanted);
    return { piece, count: await readFully(handle, piece.bytes, position) };
  }

  /**
   * Short reads are not worth it: their readers are at the tail, or few bytes are left. The disk is asked
   * before this returns, since checksums keep the thread busy from there on.
   */
  #readAhead(
    lease: HandleLease,
    segment: Segment,
    { place, wanted }: { readonly place: LogPlace; readonly wanted: number },
  ): void {
    const next = Math.min(wanted, segment.bytes - place.position);
    if (next < aheadBytesMin) return;
    this.#ahead.begin(place, next, () => {
      const own = lease.again();
      return this.#readPiece(own, place.position, next).finally(() => own.release());
    });
  }

  async #startIn(segment: Segment, from: Offset): Promise<LogPlace> {
    const known = this.#places.get(from);
    if (known !== undefined && known.segmentBase === segment.baseOffset) return known;
    const index = await this.segments.indexOf(segment);
    const entry = index.floor(from);
    return {
      offset: offset(entry?.offset ?? segment.baseOffset),
      segmentBase: segment.baseOffset,
      position: entry?.position ?? 0,
    };
  }

  #remember(segment: Segment, place: LogPlace): void {
    if (place.position >= segment.bytes && segment.kind === 'sealed') return;
    this.#places.delete(place.offset);
    this.#places.set(place.offset, place);
    if (this.#places.size <= placesRemembered) return;
    for (const oldest of this.#places.keys()) {
      this.#places.delete(oldest);
      return;
    }
  }
}

/** A read that found nothing; there is nothing to give back. */
export function noBatches(from: Offset): LogRead {
  return { buffers: [], bytes: 0, endOffset: from, giveBack: nothingLent };
}

/** Batches from memory, the very buffers that were appended. */
export function readOf(batches: readonly LogBatch[], from: Offset): LogRead {
  let bytes = 0;
  for (const batch of batches) bytes += batch.bytes.length;
  return {
    buffers: batches.map((batch) => batch.bytes),
    bytes,
    endOffset: offset(batches.at(-1)?.endOffset ?? from),
    giveBack: nothingLent,
  };
}

function nothingLent(): void {
  // Batches at the tail belong to whoever appended them, and to the log.
}

/** Records are asked for that the log does not have, or has no more. */
export function outOfRange(
  from: Offset,
  bounds: { readonly logStartOffset: Offset; readonly logEndOffset: Offset },
): HighwaterError {
  const { logStartOffset, logEndOffset } = bounds;
  return new HighwaterError('OFFSET_OUT_OF_RANGE', `Offset ${from} is outside the log.`, {
    facts: { logStartOffset, logEndOffset },
  });
}
