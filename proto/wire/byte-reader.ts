/**
 * A bounded walk over bytes. It never reads at or beyond `end` and never throws: the first thing
 * that is wrong sets `fault`, after which every read answers 0 and does not move. Callers read a
 * whole record and then look at `fault` once.
 */
const twoTo28 = 2 ** 28;

export class ByteReader {
  readonly bytes: Uint8Array;
  /** Position of the next byte, never beyond `end`. */
  at: number;
  /** Exclusive bound; a caller may narrow it to one record and widen it again. */
  end: number;
  /** What was wrong first. */
  fault: string | undefined = undefined;

  constructor(bytes: Uint8Array, from: number, to: number) {
    this.bytes = bytes;
    this.at = from;
    this.end = to;
  }

  byte(): number {
    if (this.at >= this.end) return this.fail('a field runs past the end');
    return this.bytes[this.at++] as number;
  }

  /** A zigzag varint: 32 bits, at most 5 bytes, in its shortest form. */
  varint(): number {
    const at = this.at;
    if (at >= this.end) return this.fail('a varint runs past the end');
    const first = this.bytes[at] as number;
    if (first < 0x80) {
      this.at = at + 1;
      return (first >>> 1) ^ -(first & 1);
    }
    return this.longVarint(first & 0x7f, at + 1);
  }

  /** A zigzag varlong: 64 bits, at most 10 bytes, in its shortest form, and a safe integer. */
  varlong(): number {
    const at = this.at;
    if (at >= this.end) return this.fail('a varlong runs past the end');
    const first = this.bytes[at] as number;
    if (first < 0x80) {
      this.at = at + 1;
      return (first >>> 1) ^ -(first & 1);
    }
    return this.longVarlong();
  }

  /** Moves over `count` bytes; negative or too many is a fault. */
  skip(count: number): void {
    if (count < 0 || count > this.end - this.at) {
      this.fail(count < 0 ? 'a negative length' : 'a length beyond the end');
      return;
    }
    this.at += count;
  }

  fail(reason: string): number {
    this.fault ??= reason;
    this.end = this.at;
    return 0;
  }

  private longVarlong(): number {
    const start = this.at;
    let byte = this.byte();
    const isNegative = (byte & 1) === 1;
    let half = (byte & 0x7f) >>> 1; // The zigzag form without its sign bit.
    for (let scale = 64; byte >= 0x80; scale *= 0x80) {
      byte = this.byte();
      if (this.at - start > 10) return this.fail('a varlong of more than 10 bytes');
      half += (byte & 0x7f) * scale; // Inexact only beyond 2^53, and then refused.
    }
    if (byte === 0) return this.fail('a varlong with needless bytes');
    const value = isNegative ? -half - 1 : half;
    return Number.isSafeInteger(value) ? value : this.fail('a number beyond 2^53 - 1');
  }

  private longVarint(low: number, from: number): number {
    let value = low;
    let at = from;
    for (let shift = 7; shift < 35; shift += 7) {
      if (at >= this.end) return this.fail('a varint runs past the end');
      const byte = this.bytes[at++] as number;
      if (shift === 28 && byte > 0x0f) return this.fail('a varint of more than 32 bits');
      value += shift === 28 ? byte * twoTo28 : byte << shift;
      if (byte < 0x80) {
        if (byte === 0) return this.fail('a varint with needless bytes');
        this.at = at;
        return (value >>> 1) ^ -(value & 1);
      }
      value -= 0x80 << shift;
    }
    return this.fail('a varint of more than 5 bytes');
  }
}
