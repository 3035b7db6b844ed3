/** Takes the wanted batches of a piece of a segment, and checks each before it counts (rule B5.4). */
import { HighwaterError } from '../../proto/model/errors.ts';
import { offset } from '../../proto/model/offset.ts';
import { type BatchHeader, crcMatches, readBatchHeader } from '../../proto/wire/batch-header.ts';
import { checkBatch } from './batch-check.ts';
import type { LogRules } from './core/rules.ts';
import type { LogRead, ReadRequest } from './log-reader.ts';
import type { LogPlace } from './log-record.ts';
import type { Segment } from './segment.ts';

/** Which batches are wanted, and the batch that the piece begins with. */
export interface BatchSearch {
  readonly start: LogPlace;
  readonly request: ReadRequest;
  readonly segment: Segment;
  readonly rules: LogRules;
  /** Called before the bytes are checked, with the place behind the last wanted batch. */
  readonly onEnd: (place: LogPlace) => void;
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

/** The wanted batches among the first `end` bytes of a piece that begins at a batch. */
export function takeBatches(piece: Buffer, end: number, search: BatchSearch): TakenBatches {
  const { start, request, segment, rules } = search;
  let nextOffset = start.offset;
  let epoch = -1;
  let at = 0;
  let from: number | undefined;
  const wanted: BatchHeader[] = [];
  while (at < end) {
    const header = readBatchHeader(piece, at, end);
    if (header.kind === 'torn') {
      if (from === undefined) return { kind: 'more', needed: at + header.bytesNeeded };
      break;
    }
    if (header.kind === 'fault') {
      checkBytes(piece, wanted, search);
      throw damaged(segment, start.position + at, header.reason);
    }
    const isWanted = header.lastOffset >= request.from;
    // One that is not the next batch of the log is no end of what may be read: it is damage.
    const isNext = from !== undefined || header.baseOffset === nextOffset;
    if (isWanted && isNext && header.lastOffset >= request.upTo) break;
    if (from !== undefined && at + header.byteLength - from > request.maxBytes) break;
    // Batches on the way to the first wanted one are trusted: only what is sent on is checked.
    const reason = checkBatch(piece, header, {
      nextOffset: rules.checksPlace ? nextOffset : undefined,
      epoch,
      checkCrc: false,
    });
    if (reason !== undefined) {
      checkBytes(piece, wanted, search);
      throw damaged(segment, start.position + at, reason);
    }
    if (isWanted) {
      from ??= at;
      wanted.push(header);
    }
    at += header.byteLength;
    nextOffset = offset(header.lastOffset + 1);
    epoch = header.leaderEpoch;
  }
  if (from === undefined) return { kind: 'none' };
  const { segmentBase, position } = start;
  const place = { offset: nextOffset, segmentBase, position: position + at };
  search.onEnd(place);
  checkBytes(piece, wanted, search);
  const read = { buffers: [piece.subarray(from, at)], bytes: at - from, endOffset: nextOffset };
  return { kind: 'batches', read, place };
}

/** Compares checksums. The first damage is told, also where it leads to more behind it. */
function checkBytes(piece: Buffer, wanted: readonly BatchHeader[], search: BatchSearch): void {
  const { segment, start, rules } = search;
  for (const header of rules.checksReads ? wanted : []) {
    if (crcMatches(piece, header)) continue;
    throw damaged(segment, start.position + header.at, 'the checksum differs');
  }
}

/** Bytes of a segment are not what had been stored. */
export function damaged(segment: Segment, position: number, reason: string): HighwaterError {
  return new HighwaterError('DAMAGED_LOG', `${segment.path} at byte ${position}: ${reason}.`, {
    facts: { path: segment.path, position },
  });
}
