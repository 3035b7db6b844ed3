/**
 * What generated code needs beside protobufjs: exact 64-bit integers, checked brands and bounds.
 *
 * Bytes come from outside, so every breach is an INVALID_REQUEST and never an assertion: truncated
 * input, a number past 2^53, a value outside its brand, a list past its bound.
 */
import protobuf from 'protobufjs/minimal.js';
import { HighwaterError } from '../model/errors.ts';
import { limits } from '../model/limits.ts';

export const { Reader, Writer } = protobuf;
export type Reader = protobuf.Reader;
export type Writer = protobuf.Writer;

/**
 * Messages inside the one that is being decoded. One that says nothing takes two bytes on the wire
 * and a hundred in memory, so lists of lists are bounded as a whole and not only each.
 */
let messagesRead = 0;

/** Decodes with every failure turned into INVALID_REQUEST that names the message. */
export function guarded<Message>(
  name: string,
  bytes: Uint8Array,
  decode: (reader: Reader) => Message,
): Message {
  try {
    messagesRead = 0;
    return decode(Reader.create(bytes));
  } catch (caught) {
    if (caught instanceof HighwaterError) throw caught;
    const why = caught instanceof Error ? caught.message : String(caught);
    throw new HighwaterError(
      'INVALID_REQUEST',
      `cannot decode ${name} from ${bytes.length} bytes: ${why}`,
      {
        cause: caught,
        facts: { message: name },
      },
    );
  }
}

/** A whole number read as Long or number, refused where a double could not hold it exactly. */
export function exact(value: protobuf.Long | number, field: string): number {
  if (typeof value === 'number') return value;
  const high = value.unsigned ? value.high >>> 0 : value.high;
  const whole = high * 0x1_0000_0000 + (value.low >>> 0);
  if (!Number.isSafeInteger(whole))
    throw refused(field, 'a number between -(2^53 - 1) and 2^53 - 1');
  return whole;
}

/** Bytes of a varint whose number a double holds exactly, whatever they say. */
const wholeBytesMax = 7;

/**
 * Reads a 64-bit varint. Nearly all are counts of a few bytes, which need no object for two halves:
 * these numbers come several times with every batch. Everything else goes the long way.
 */
export function whole(reader: Reader, kind: 'int64' | 'uint64', field: string): number {
  const { buf, pos } = reader;
  const last = Math.min(reader.len, pos + wholeBytesMax);
  let value = 0;
  let unit = 1;
  for (let at = pos; at < last; at++) {
    const byte = buf[at] ?? 0;
    value += (byte & 0x7f) * unit;
    if (byte < 0x80) {
      reader.pos = at + 1;
      return value;
    }
    unit *= 0x80;
  }
  return exact(reader[kind](), field);
}

/** Writes a 64-bit varint; what fits 32 bits has the same bytes and needs no two halves. */
export function writeWhole(writer: Writer, kind: 'int64' | 'uint64', value: number): Writer {
  return value >= 0 && value <= 0xffff_ffff ? writer.uint32(value) : writer[kind](value);
}

/** Runs a brand's constructor on a value from outside. */
export function branded<In, Out>(make: (value: In) => Out, value: In, field: string): Out {
  try {
    return make(value);
  } catch (caught) {
    throw refused(field, caught instanceof Error ? caught.message : 'a value in range');
  }
}

/** Refuses a list that has reached its bound before one more element is decoded. */
export function bounded(
  count: number,
  field: string,
  max: number = limits.repeatedElementsMax,
): void {
  if (count >= max) throw refused(field, `at most ${max} elements`);
}

function refused(field: string, expected: string): HighwaterError {
  return new HighwaterError('INVALID_REQUEST', `field ${field}: expected ${expected}`, {
    facts: { field },
  });
}

/** The empty default of a bytes field; shared, since it has nothing to change. */
export const noBytes: Buffer = Buffer.alloc(0);

/** The view that protobufjs hands out, as the Buffer that it is on Node. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** The one buffer that a payload arrives as; none for a payload of no bytes. */
export function parts(reader: Reader): readonly Uint8Array[] {
  const bytes = reader.bytes();
  return bytes.length === 0 ? [] : [bytes];
}

/** Reads the length of a nested message, map entry or packed list and returns where it ends. */
export function nested(reader: Reader): number {
  messagesRead += 1;
  if (messagesRead > limits.nestedMessagesMax) {
    throw new RangeError(`more than ${limits.nestedMessagesMax} nested messages`);
  }
  const length = reader.size();
  const end = reader.pos + length;
  if (end > reader.len) throw new RangeError(`a nested message of ${length} bytes passes the end`);
  return end;
}

/** Refuses a message whose last field ran past the message's own end. */
export function arrived(reader: Reader, end: number): void {
  if (reader.pos !== end) throw new RangeError('a field passes the end of its message');
}
