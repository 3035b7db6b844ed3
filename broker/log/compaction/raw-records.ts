/**
 * The records of an opened batch as bytes: where each begins and ends, and the few fields that
 * compaction looks at. What stays is copied as it is, so nothing is decoded and encoded again.
 *
 * Only for records that passed `findRecordFault`, therefore nothing here can fail.
 */
import { ByteReader } from '../../../proto/wire/byte-reader.ts';
import type { RecordSpan } from '../../../proto/wire/record-check.ts';

export class RawRecords {
  readonly bytes: Buffer;
  /** Where the record begins, its length included. */
  start = 0;
  /** Where the key's length stands: all from there on is the same in every batch. */
  bodyAt = 0;
  /** Exclusive. */
  end: number;
  timestampDelta = 0;
  offsetDelta = 0;
  isMark = false;
  readonly #reader: ByteReader;
  #keyAt = 0;
  #keyLength = -1;
  #left: number;

  constructor(span: RecordSpan, count: number) {
    this.bytes = span.bytes;
    this.end = span.from;
    this.#reader = new ByteReader(span.bytes, span.from, span.to);
    this.#left = count;
  }

  /** Moves to the next record; false after the last. */
  next(): boolean {
    if (this.#left === 0) return false;
    this.#left--;
    const reader = this.#reader;
    this.start = this.end;
    reader.at = this.start;
    const length = reader.varint();
    this.end = reader.at + length;
    reader.at++; // The attributes of a record are unused.
    this.timestampDelta = reader.varlong();
    this.offsetDelta = reader.varint();
    this.bodyAt = reader.at;
    this.#keyLength = reader.varint();
    this.#keyAt = reader.at;
    if (this.#keyLength > 0) reader.at += this.#keyLength;
    this.isMark = reader.varint() === -1 && this.#keyLength >= 0;
    return true;
  }

  /** The key; undefined if there is none. */
  key(): Buffer | undefined {
    if (this.#keyLength < 0) return undefined;
    return this.bytes.subarray(this.#keyAt, this.#keyAt + this.#keyLength);
  }
}
