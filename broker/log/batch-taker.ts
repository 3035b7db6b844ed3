/**
 * Takes the wanted batches of a piece of a segment as its bytes arrive, and checks each before it
 * counts (rule B5.4).
 */
import { HighwaterError } from '../../proto/model/errors.ts';
import { type Offset, offset } from '../../proto/model/offset.ts';
import { readBatchHeader } from '../../proto/wire/batch-header.ts';
import { checkBatch } from './batch-check.ts';
import type { LogRead, ReadRequest } from './log-reader.ts';
import type { LogPlace } from './log-record.ts';
import type { Segment } from './segment.ts';

/** Which batches are wanted, and the batch that the piece begins with. */
export interface BatchSearch {
  readonly start: LogPlace;
  readonly request: ReadRequest;
  readonly segment: Segment;
}

/** What a piece held; `more`: not even one wanted batch, which needs so many bytes. */
export type TakenBatches =
  | {
      readonly kind: 'batches';
      readonly read: Omit<LogRead, 'giveBack'>;
      /** Behind the last of them. */
      readonly place: LogPlace;
    }
  | { readonly kind: 'none' }
  | { readonly kind: 'more'; readonly needed: number };

/** One for each piece. */
export class BatchTaker {
  readonly #piece: Buffer;
  readonly #search: BatchSearch;
  /** Everything before is whole and checked. */
  #at = 0;
  /** Where the first wanted batch begins. */
  #from: number | undefined;
  #nextOffset: Offset;
  #epoch = -1;
  /** Bytes that the batch at `#at` needs, if it was met and is not whole. */
  #needed = 0;
  #hasEnough = false;

  constructor(piece: Buffer, search: BatchSearch) {
    this.#piece = piece;
    this.#search = search;
    this.#nextOffset = search.start.offset;
  }

  /** Goes on with what has arrived: all bytes of the piece before `end`. */
  go(end: number): void {
    const { request } = this.#search;
    while (this.#at < end && !this.#hasEnough) {
      const header = readBatchHeader(this.#piece, this.#at, end);
      if (header.kind === 'torn') {
        this.#needed = this.#at + header.bytesNeeded;
        return;
      }
      if (header.kind === 'fault') throw this.#damaged(header.reason);
      const isWanted = header.lastOffset >= request.from;
      const bytes = this.#at + header.byteLength - (this.#from ?? this.#at);
      this.#hasEnough =
        (isWanted && header.lastOffset >= request.upTo) ||
        (this.#from !== undefined && bytes > request.maxBytes);
      if (this.#hasEnough) return;
      // Batches on the way to the first wanted one are trusted: only what is sent on is checked.
      const before = { nextOffset: this.#nextOffset, epoch: this.#epoch, checkCrc: isWanted };
      const reason = checkBatch(this.#piece, header, before);
      if (reason !== undefined) throw this.#damaged(reason);
      if (isWanted) this.#from ??= this.#at;
      this.#at += header.byteLength;
      this.#nextOffset = offset(header.lastOffset + 1);
      this.#epoch = header.leaderEpoch;
    }
  }

  /** What there was, once everything has arrived. */
  get taken(): TakenBatches {
    const { start } = this.#search;
    const from = this.#from;
    if (from === undefined) {
      const isCut = this.#needed > this.#at && !this.#hasEnough;
      return isCut ? { kind: 'more', needed: this.#needed } : { kind: 'none' };
    }
    const endOffset = this.#nextOffset;
    const bytes = this.#at - from;
    const { segmentBase, position } = start;
    return {
      kind: 'batches',
      read: { buffers: [this.#piece.subarray(from, this.#at)], bytes, endOffset },
      place: { offset: endOffset, segmentBase, position: position + this.#at },
    };
  }

  #damaged(reason: string): HighwaterError {
    const { segment, start } = this.#search;
    return damaged(segment, start.position + this.#at, reason);
  }
}

/** Bytes of a segment are not what had been stored. */
export function damaged(segment: Segment, position: number, reason: string): HighwaterError {
  return new HighwaterError('DAMAGED_LOG', `${segment.path} at byte ${position}: ${reason}.`, {
    facts: { path: segment.path, position },
  });
}
