/**
 * The structure of all records of a batch, walked once (row F14): every length inside the batch,
 * varints in range and shortest form, offsets rising, as many records as the head says, not a byte
 * left over. A batch that passes is read without further checks, so that a reader gets all records
 * of a batch or none.
 */
import { type BatchFault, batchFault } from './batch-fault.ts';
import type { BatchHeader } from './batch-header.ts';
import { ByteReader } from './byte-reader.ts';

/** Where the (uncompressed) records of a batch lie. */
export interface RecordSpan {
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
}

/** What is wrong with the records, or undefined. Looks at nothing outside the span. */
export function findRecordFault(header: BatchHeader, span: RecordSpan): BatchFault | undefined {
  const reader = new ByteReader(span.bytes, span.from, span.to);
  let lastDelta = -1;
  for (let index = 0; index < header.recordCount; index++) {
    const length = reader.varint();
    const end = reader.at + length;
    if (length < 0 || end > span.to) reader.fail(`a record length of ${length}`);
    else reader.end = end;

    const delta = walkRecord(reader, header);
    if (reader.fault !== undefined) return broken(index, reader.fault);
    if (reader.at !== end) return broken(index, 'bytes follow the headers');
    if (delta <= lastDelta || delta > header.lastOffsetDelta) {
      return broken(index, `an offset delta of ${delta} after ${lastDelta}`);
    }
    lastDelta = delta;
    reader.end = span.to;
  }
  return reader.at === span.to ? undefined : broken(header.recordCount, 'bytes follow the records');
}

/** Walks one record behind its length and returns its offset delta. */
function walkRecord(reader: ByteReader, header: BatchHeader): number {
  if (reader.byte() !== 0) reader.fail('record attributes that are not 0');
  const timestamp = header.baseTimestamp + reader.varlong();
  if (!Number.isSafeInteger(timestamp)) reader.fail('a timestamp beyond 2^53 - 1');
  const delta = reader.varint();
  skipNullable(reader);
  skipNullable(reader);
  walkHeaders(reader);
  return delta;
}

function walkHeaders(reader: ByteReader): void {
  const count = reader.varint();
  // A header takes two bytes or more: the count is bounded before the loop believes it.
  if (count < 0 || count > (reader.end - reader.at) / 2) {
    reader.fail(`a header count of ${count}`);
    return;
  }
  for (let left = count; left > 0 && reader.fault === undefined; left--) {
    reader.skip(reader.varint());
    skipNullable(reader);
  }
}

/** Moves over bytes that -1 marks as null. */
function skipNullable(reader: ByteReader): void {
  const length = reader.varint();
  if (length !== -1) reader.skip(length);
}

function broken(index: number, what: string): BatchFault {
  return batchFault('INVALID_RECORD', `record ${index} of the batch: ${what}`);
}
