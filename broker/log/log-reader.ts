/**
 * Reads from the files: whole batches, each checked before it is handed on (rule B5.4). A batch that
 * fails the check is answered with DAMAGED_LOG and never sent to anybody.
 *
 * Sequential readers are remembered by the place where their last read ended, so that the next one
 * begins exactly there, and from the second read on the bytes behind it are fetched ahead.
 */
import { HighwaterError } from '../../proto/model/errors.ts';
import { type Offset, offset } from '../../proto/model/offset.ts';
import { type BatchHeader, crcMatches, readBatchHeader } from '../../proto/wire/batch-header.ts';
import { checkBatch } from './batch-check.ts';
import { indexIntervalBytes } from './core/sparse-index.ts';
import type { HandlePool } from './handle-pool.ts';
import type { LogPlace } from './log-record.ts';
import type { ReadAhead } from './read-ahead.ts';
import type { Segment } from './segment.ts';
import { readFully } from './segment-scan.ts';
import type { SegmentSet } from './segment-set.ts';

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
}

const placesRemembered = 16;

/** What readers of all logs share. */
export interface ReaderContext {
  readonly handles: HandlePool;
  readonly ahead: ReadAhead;
}

/** Where a read begins; a place where an earlier read ended makes it one of a sequence. */
interface ReadStart extends LogPlace {
  readonly isSequential: boolean;
}

/** One read of one segment. */
interface SegmentRead {
  readonly segment: Segment;
  readonly start: ReadStart;
  readonly request: ReadRequest;
}

/** One per opened log. */
export class LogReader {
  readonly #context: ReaderContext;
  readonly segments: SegmentSet;
  /** Where earlier reads ended, by offset; oldest first. */
  readonly #places = new Map<number, LogPlace>();
  /** The version of the segments that the places belong to. */
  #placesVersion = 0;

  constructor(context: ReaderContext, segments: SegmentSet) {
    this.#context = context;
    this.segments = segments;
  }

  /** Places are void once the log was cut. */
  forgetPlaces(): void {
    this.#places.clear();
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
    return { buffers: [], bytes: 0, endOffset: request.from };
  }

  async #readSegment(segment: Segment, request: ReadRequest): Promise<LogRead> {
    const start = await this.#startIn(segment, request.from);
    const read = { segment, start, request };
    // Batches below the wanted one, back to the index entry, are read and skipped.
    const slack = start.offset === request.from ? 0 : indexIntervalBytes;
    const left = segment.bytes - start.position;
    let wanted = Math.min(request.maxBytes + slack, left);
    if (wanted <= 0) return nothing(request);
    const early = await this.#takeEarly(read);
    if (early !== undefined) return early;
    const lease = await this.#context.handles.lease(segment.path, 'write');
    try {
      for (;;) {
        const piece = Buffer.allocUnsafeSlow(wanted);
        const count = await readFully(lease.handle, piece, start.position);
        const taken = this.#take(read, piece.subarray(0, count));
        if (taken.kind === 'read') return taken.read;
        // Not even one wanted batch fitted: read as much as it needs.
        if (wanted >= left) throw damaged(segment, taken.needed, 'a batch is cut short');
        wanted = Math.min(left, Math.max(taken.needed, wanted * 2));
      }
    } finally {
      lease.release();
    }
  }

  /** From the piece that was read ahead; if that is no good, what is in the file counts. */
  async #takeEarly(read: SegmentRead): Promise<LogRead | undefined> {
    const piece = await this.#context.ahead.take(read.segment, read.start.position);
    if (piece === undefined) return undefined;
    try {
      const taken = this.#take(read, piece);
      return taken.kind === 'read' ? taken.read : undefined;
    } catch {
      return undefined;
    }
  }

  /** The wanted batches of a piece, checked. The next piece is on its way before the checksums. */
  #take(read: SegmentRead, piece: Buffer): Taken {
    const taken = takeBatches(piece, read);
    if (taken.kind === 'more' || taken.read.bytes === 0) return taken;
    const next = this.#nextPlace(read.segment, taken.place);
    if (read.start.isSequential) this.#readAhead(next, read.request.maxBytes);
    for (const header of taken.headers) {
      if (crcMatches(piece, header)) continue;
      throw damaged(read.segment, read.start.position + header.at, 'the checksum differs');
    }
    this.#remember(next);
    return taken;
  }

  #readAhead(next: LogPlace, maxBytes: number): void {
    const segment = this.segments.floor(next.offset);
    if (segment === undefined || segment.baseOffset !== next.segmentBase) return;
    const left = segment.bytes - next.position;
    // Behind the last bytes of the active segment more may soon follow: no piece cuts a read short.
    if (segment.kind === 'active' && left < maxBytes) return;
    this.#context.ahead.start(segment, next.position, Math.min(maxBytes, left));
  }

  async #startIn(segment: Segment, from: Offset): Promise<ReadStart> {
    const known = this.#places.get(from);
    if (known !== undefined && known.segmentBase === segment.baseOffset) {
      return { ...known, isSequential: true };
    }
    const index = await this.segments.indexOf(segment);
    const entry = index.floor(from);
    return {
      offset: offset(entry?.offset ?? segment.baseOffset),
      segmentBase: segment.baseOffset,
      position: entry?.position ?? 0,
      isSequential: false,
    };
  }

  /** Where reading goes on: at the end of a sealed segment that is the beginning of the next. */
  #nextPlace(segment: Segment, end: LogPlace): LogPlace {
    if (segment.kind === 'active' || end.position < segment.bytes) return end;
    const after = this.segments.after(segment);
    if (after === undefined || after.baseOffset !== end.offset) return end;
    return { offset: end.offset, segmentBase: after.baseOffset, position: 0 };
  }

  #remember(place: LogPlace): void {
    this.#places.delete(place.offset);
    this.#places.set(place.offset, place);
    if (this.#places.size <= placesRemembered) return;
    for (const oldest of this.#places.keys()) {
      this.#places.delete(oldest);
      return;
    }
  }
}

type Taken =
  | {
      readonly kind: 'read';
      readonly read: LogRead;
      readonly place: LogPlace;
      /** Of the batches that were taken: their checksums are still to be compared. */
      readonly headers: readonly BatchHeader[];
    }
  | { readonly kind: 'more'; readonly needed: number };

/** The wanted batches of a piece that begins at a batch; all but their checksums is checked. */
function takeBatches(piece: Buffer, { start, request, segment }: SegmentRead): Taken {
  let nextOffset = start.offset;
  let at = 0;
  let from: number | undefined;
  let epoch = -1;
  const headers: BatchHeader[] = [];
  while (at < piece.length) {
    const header = readBatchHeader(piece, at);
    if (header.kind === 'torn') {
      if (from === undefined) return { kind: 'more', needed: at + header.bytesNeeded };
      break;
    }
    if (header.kind === 'fault') throw damaged(segment, start.position + at, header.reason);
    const isWanted = header.lastOffset >= request.from;
    if (isWanted && header.lastOffset >= request.upTo) break;
    if (from !== undefined && at + header.byteLength - from > request.maxBytes) break;
    const reason = checkBatch(piece, header, { nextOffset, epoch, checkCrc: false });
    if (reason !== undefined) throw damaged(segment, start.position + at, reason);
    // Batches on the way to the first wanted one are trusted: only what is sent on is checked.
    if (isWanted) {
      from ??= at;
      headers.push(header);
    }
    at += header.byteLength;
    nextOffset = offset(header.lastOffset + 1);
    epoch = header.leaderEpoch;
  }
  if (from === undefined) return { kind: 'read', read: nothing(request), place: start, headers };
  const place = {
    offset: nextOffset,
    segmentBase: start.segmentBase,
    position: start.position + at,
  };
  const read = { buffers: [piece.subarray(from, at)], bytes: at - from, endOffset: nextOffset };
  return { kind: 'read', read, place, headers };
}

function nothing(request: ReadRequest): LogRead {
  return { buffers: [], bytes: 0, endOffset: request.from };
}

function damaged(segment: Segment, position: number, reason: string): HighwaterError {
  return new HighwaterError('DAMAGED_LOG', `${segment.path} at byte ${position}: ${reason}.`, {
    facts: { path: segment.path, position },
  });
}
