/**
 * Writes records into one growing buffer. The length of a record stands before it and is known only
 * after it: space for the expected form is left and patched, and the record moves by a byte or two in
 * the rare case that the length takes another size.
 */
import { sizeOfVarint, writeVarint, writeVarlong } from './varint.ts';

/** A key or value. Strings are written as UTF-8. */
export type RecordBytes = Uint8Array | string | null | undefined;

/** Headers as an object, or as pairs where a key occurs more than once. */
export type RecordHeaders =
  | Readonly<Record<string, RecordBytes>>
  | ReadonlyArray<readonly [key: string, value: RecordBytes]>;

/** Below this a loop in JavaScript is faster than the call into the engine's copy. */
const shortBytes = 24;
const varintBytesMax = 5;
/** The head of a record: length, attributes, timestamp delta, offset delta. */
const recordHeadBytesMax = varintBytesMax + 1 + 10 + varintBytesMax;

export class RecordWriter {
  bytes: Buffer;
  /** Where the next byte goes. A caller may set it back to drop a record. */
  at: number;
  private recordAt = 0;
  private lengthBytes = 1;

  /** Writes into `memory` from `at` on; what does not fit goes into memory of its own. */
  constructor(memory: Buffer, at: number) {
    this.bytes = memory;
    this.at = at;
  }

  /** Starts a record. `bodyBytesExpected` says how much space to leave for its length. */
  begin(timestampDelta: number, offsetDelta: number, bodyBytesExpected: number): void {
    this.reserve(recordHeadBytesMax);
    this.recordAt = this.at;
    this.lengthBytes = sizeOfVarint(bodyBytesExpected);
    const bytes = this.bytes;
    let at = this.at + this.lengthBytes;
    bytes[at++] = 0;
    at = writeVarlong(bytes, timestampDelta, at);
    this.at = writeVarint(bytes, offsetDelta, at);
  }

  /** A key or value: its length and its bytes, or null. */
  field(source: RecordBytes): void {
    if (source === null || source === undefined) {
      this.reserve(1);
      this.bytes[this.at++] = 1; // The zigzag form of -1.
    } else if (typeof source === 'string') {
      this.text(source);
    } else {
      this.raw(source);
    }
  }

  headers(headers: RecordHeaders | undefined): void {
    this.reserve(varintBytesMax);
    if (headers === undefined) {
      this.bytes[this.at++] = 0;
    } else if (isPairs(headers)) {
      this.at = writeVarint(this.bytes, headers.length, this.at);
      for (const [key, value] of headers) {
        this.text(key);
        this.field(value);
      }
    } else {
      this.headerObject(headers);
    }
  }

  /** Writes the length of the record into the space left for it. */
  finish(): void {
    const bodyAt = this.recordAt + this.lengthBytes;
    const length = this.at - bodyAt;
    const size = sizeOfVarint(length);
    if (size !== this.lengthBytes) {
      this.reserve(varintBytesMax);
      this.bytes.copyWithin(this.recordAt + size, bodyAt, this.at);
      this.at += size - this.lengthBytes;
    }
    writeVarint(this.bytes, length, this.recordAt);
  }

  private headerObject(headers: Readonly<Record<string, RecordBytes>>): void {
    const keys = Object.keys(headers);
    this.at = writeVarint(this.bytes, keys.length, this.at);
    for (const key of keys) {
      this.text(key);
      this.field(headers[key]);
    }
  }

  private raw(source: Uint8Array): void {
    const length = source.length;
    this.reserve(varintBytesMax + length);
    const at = writeVarint(this.bytes, length, this.at);
    if (length < shortBytes) {
      for (let index = 0; index < length; index++) this.bytes[at + index] = source[index] as number;
    } else {
      this.bytes.set(source, at);
    }
    this.at = at + length;
  }

  private text(source: string): void {
    const length = source.length;
    this.reserve(varintBytesMax + length * 3); // A UTF-16 unit takes at most three bytes of UTF-8.
    if (length < shortBytes && this.shortAscii(source)) return;
    const byteLength = Buffer.byteLength(source);
    const at = writeVarint(this.bytes, byteLength, this.at);
    // Where every character is one byte, the plain copy is the fastest.
    if (byteLength === length) this.bytes.write(source, at, length, 'latin1');
    else this.bytes.write(source, at, byteLength, 'utf8');
    this.at = at + byteLength;
  }

  /** Writes a short string in one pass; false, with nothing kept, if it is not pure ASCII. */
  private shortAscii(source: string): boolean {
    const bytes = this.bytes;
    const at = this.at + 1; // Lengths below 64 take one byte.
    for (let index = 0; index < source.length; index++) {
      const code = source.charCodeAt(index);
      if (code >= 0x80) return false;
      bytes[at + index] = code;
    }
    bytes[this.at] = source.length * 2;
    this.at = at + source.length;
    return true;
  }

  private reserve(count: number): void {
    const needed = this.at + count;
    if (needed <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.at));
    this.bytes = grown;
  }
}

function isPairs(headers: RecordHeaders): headers is ReadonlyArray<readonly [string, RecordBytes]> {
  return Array.isArray(headers);
}
