/**
 * Reads from the files: whole batches, each checked before it is handed on (rule B5.4). A batch that
 * fails the check is answered with DAMAGED_LOG and never sent to anybody.
 *
 * Sequential readers are remembered by the place where their last read ended, so that the next one
 * begins exactly there.
 */
import { HighwaterError } from '../../proto/model/errors.ts';
import { type Offset, offset } from '../../proto/model/offset.ts';
import { readBatchHeader } from '../../proto/wire/batch-header.ts';
import { checkBatch } from './batch-check.ts';
import { indexIntervalBytes } from './core/sparse-index.ts';
import type { HandlePool } from './handle-pool.ts';
import type { LogPlace } from './log-record.ts';
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

/** One per opened log. */
export class LogReader {
  readonly #handles: HandlePool;
  readonly segments: SegmentSet;
  /** Where earlier reads ended, by offset; oldest first. */
  readonly #places = new Map<number, LogPlace>();
  /** The version of the segments that the places belong to. */
  #placesVersion = 0;
  /** Rises when the places become void: a read that began before leaves none. */
  #generation = 0;

  constructor(handles: HandlePool, segments: SegmentSet) {
    this.#handles = handles;
    this.segments = segments;
  }

  /** Places are void once the log was cut, or its files were exchanged. */
  forgetPlaces(): void {
    this.#places.clear();
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
    return { buffers: [], bytes: 0, endOffset: request.from };
  }

  async #readSegment(segment: Segment, request: ReadRequest): Promise<LogRead> {
    const generation = this.#generation;
    const start = await this.#startIn(segment, request.from);
    // Batches below the wanted one, back to the index entry, are read and skipped.
    const slack = start.offset === request.from ? 0 : indexIntervalBytes;
    let wanted = Math.min(request.maxBytes + slack, segment.bytes - start.position);
    if (wanted <= 0) return nothing(request);
    const lease = await this.#handles.lease(segment.path, 'write');
    try {
      for (;;) {
        const piece = Buffer.allocUnsafeSlow(wanted);
        const count = await readFully(lease.handle, piece, start.position);
        const taken = takeBatches(piece.subarray(0, count), { start, request, segment });
        if (taken.kind === 'read') {
          if (generation === this.#generation) this.#remember(segment, taken.place);
          return taken.read;
        }
        // Not even one wanted batch fitted: read as much as it needs.
        const left = segment.bytes - start.position;
        if (wanted >= left) throw damaged(segment, taken.needed, 'a batch is cut short');
        wanted = Math.min(left, Math.max(taken.needed, wanted * 2));
      }
    } finally {
      lease.release();
    }
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

type Taken =
  | { readonly kind: 'read'; readonly read: LogRead; readonly place: LogPlace }
  | { readonly kind: 'more'; readonly needed: number };

/** The wanted batches of a piece that begins at a batch. */
function takeBatches(
  piece: Buffer,
  search: { readonly start: LogPlace; readonly request: ReadRequest; readonly segment: Segment },
): Taken {
  const { start, request, segment } = search;
  let nextOffset = start.offset;
  let at = 0;
  let from: number | undefined;
  let epoch = -1;
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
    // Batches on the way to the first wanted one are trusted: only what is sent on is checked.
    const reason = checkBatch(piece, header, { nextOffset, epoch, checkCrc: isWanted });
    if (reason !== undefined) throw damaged(segment, start.position + at, reason);
    if (isWanted) from ??= at;
    at += header.byteLength;
    nextOffset = offset(header.lastOffset + 1);
    epoch = header.leaderEpoch;
  }
  if (from === undefined) return { kind: 'read', read: nothing(request), place: start };
  const place = {
    offset: nextOffset,
    segmentBase: start.segmentBase,
    position: start.position + at,
  };
  const read = { buffers: [piece.subarray(from, at)], bytes: at - from, endOffset: nextOffset };
  return { kind: 'read', read, place };
}

function nothing(request: ReadRequest): LogRead {
  return { buffers: [], bytes: 0, endOffset: request.from };
}

function damaged(segment: Segment, position: number, reason: string): HighwaterError {
  return new HighwaterError('DAMAGED_LOG', `${segment.path} at byte ${position}: ${reason}.`, {
    facts: { path: segment.path, position },
  });
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
