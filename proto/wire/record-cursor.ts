/**
 * The records of one batch, one after the other, without an object for each. `next` moves on and
 * reads only numbers; key, value and headers become views when they are asked for.
 *
 * A cursor exists only for records that passed `findRecordFault`, therefore nothing here can fail.
 * Views share the memory of the batch: who keeps one keeps the whole batch alive.
 */
import { type Offset, offset } from '../model/offset.ts';
import type { BatchHeader } from './batch-header.ts';
import { attributeBits } from './batch-layout.ts';
import { ByteReader } from './byte-reader.ts';
import { viewOf } from './byte-view.ts';
import { HeaderNames } from './header-names.ts';
import type { RecordSpan } from './record-check.ts';

/** One header of a record. A key may occur more than once; their order is kept. */
export interface RecordHeader {
  readonly key: string;
  readonly value: Buffer | null;
}

const noHeaders: readonly RecordHeader[] = [];
const absent = -1;

export class RecordCursor {
  readonly header: BatchHeader;
  /** Milliseconds; of the record, or of its append where the topic says so. */
  timestamp = 0;

  private readonly bytes: Buffer;
  private readonly memory: ArrayBufferLike;
  private readonly memoryAt: number;
  private readonly reader: ByteReader;
  private readonly names = new HeaderNames();
  private readonly isAppendTime: boolean;
  private left: number;
  private recordEnd: number;
  private offsetDelta = 0;
  private keyAt = 0;
  private keyLength = absent;
  private valueAt = 0;
  private valueLength = absent;

  constructor(header: BatchHeader, span: RecordSpan) {
    this.header = header;
    this.bytes = span.bytes;
    this.memory = span.bytes.buffer;
    this.memoryAt = span.bytes.byteOffset;
    this.reader = new ByteReader(span.bytes, span.from, span.to);
    this.isAppendTime = (header.attributes & attributeBits.logAppendTime) !== 0;
    this.left = header.recordCount;
    this.recordEnd = span.from;
  }

  /** Moves to the next record; false after the last. */
  next(): boolean {
    if (this.left === 0) return false;
    this.left--;
    const reader = this.reader;
    reader.at = this.recordEnd;
    const length = reader.varint();
    this.recordEnd = reader.at + length;
    reader.at++; // The attributes of a record are unused.

    const delta = reader.varlong();
    this.timestamp = this.isAppendTime
      ? this.header.maxTimestamp
      : this.header.baseTimestamp + delta;
    this.offsetDelta = reader.varint();
    this.keyLength = reader.varint();
    this.keyAt = reader.at;
    if (this.keyLength > 0) reader.at += this.keyLength;
    this.valueLength = reader.varint();
    this.valueAt = reader.at;
    return true;
  }

  get offset(): Offset {
    return offset(this.header.baseOffset + this.offsetDelta);
  }

  key(): Buffer | null {
    if (this.keyLength === absent) return null;
    return viewOf(this.memory, this.memoryAt + this.keyAt, this.keyLength);
  }

  value(): Buffer | null {
    if (this.valueLength === absent) return null;
    return viewOf(this.memory, this.memoryAt + this.valueAt, this.valueLength);
  }

  headers(): readonly RecordHeader[] {
    const reader = this.reader;
    reader.at = this.valueAt + (this.valueLength === absent ? 0 : this.valueLength);
    const count = reader.varint();
    if (count === 0) return noHeaders;
    const first = this.readHeader();
    if (count === 1) return [first];
    const headers = [first];
    for (let index = 1; index < count; index++) headers.push(this.readHeader());
    return headers;
  }

  private readHeader(): RecordHeader {
    const reader = this.reader;
    const keyLength = reader.varint();
    const key = this.names.read(this.bytes, reader.at, keyLength);
    reader.at += keyLength;
    return { key, value: this.view(reader.varint()) };
  }

  private view(length: number): Buffer | null {
    if (length === absent) return null;
    const from = this.reader.at;
    this.reader.at += length;
    return viewOf(this.memory, this.memoryAt + from, length);
  }
}
