/**
 * Metadata records: committed facts, and their bytes. A change is the list of records of one entry of
 * the quorum log; it is applied whole or not at all.
 */
import { MetadataRecord } from '../generated/highwater/metadata/v1/records.ts';
import { HighwaterError } from '../model/errors.ts';

export type {
  MetadataRecord,
  PartitionState,
  RoundPurpose,
  Voter,
} from '../generated/highwater/metadata/v1/records.ts';

/** Format of the records that this version writes, and the greatest that it reads. */
export const recordVersion = 1;

type Body = NonNullable<MetadataRecord['body']>;

/** The name of a kind of record. */
export type RecordKind = Body['kind'];

/** What a record of this kind says. */
export type RecordValue<Kind extends RecordKind> = Extract<Body, { kind: Kind }>['value'];

/** A record of the present format. */
export function record<Kind extends RecordKind>(
  kind: Kind,
  value: RecordValue<Kind>,
): MetadataRecord {
  return { version: recordVersion, body: { kind, value } as Body };
}

/** The records of a change, each with a varint length before it. */
export function encodeRecords(records: Iterable<MetadataRecord>): Uint8Array {
  // Straight into one growing buffer: a large change would otherwise keep thousands of small ones alive.
  let bytes = new Uint8Array(1024);
  let at = 0;
  for (const one of records) {
    for (const part of framed(MetadataRecord.encode(one))) {
      if (at + part.length > bytes.length) {
        const larger = new Uint8Array(Math.max(bytes.length * 2, at + part.length));
        larger.set(bytes.subarray(0, at));
        bytes = larger;
      }
      bytes.set(part, at);
      at += part.length;
    }
  }
  return bytes.slice(0, at);
}

/** The records of a change. Throws INVALID_REQUEST for bytes that are none. */
export function decodeRecords(bytes: Uint8Array): MetadataRecord[] {
  return [...eachRecord(bytes)];
}

/** The same, one after the other, so that replay never holds all of a large change. */
export function* eachRecord(bytes: Uint8Array): IterableIterator<MetadataRecord> {
  for (let at = 0; at < bytes.length; ) {
    const { value, next } = readVarint(bytes, at);
    if (next + value > bytes.length) throw truncated(bytes);
    yield MetadataRecord.decode(bytes.subarray(next, next + value));
    at = next + value;
  }
}

function readVarint(bytes: Uint8Array, from: number): { value: number; next: number } {
  let value = 0;
  for (let i = 0; i < 4; i++) {
    const byte = bytes[from + i];
    if (byte === undefined) throw truncated(bytes);
    value |= (byte & 127) << (7 * i);
    if (byte < 128) return { value, next: from + i + 1 };
  }
  throw new HighwaterError('INVALID_REQUEST', 'a metadata record above 256 MiB');
}

function framed(parts: readonly Uint8Array[]): readonly Uint8Array[] {
  const prefix: number[] = [];
  let rest = parts.reduce((sum, part) => sum + part.length, 0);
  for (; rest > 127; rest >>>= 7) prefix.push((rest & 127) | 128);
  prefix.push(rest);
  return [Uint8Array.from(prefix), ...parts];
}

function truncated(bytes: Uint8Array): HighwaterError {
  return new HighwaterError('INVALID_REQUEST', `metadata records end early, at ${bytes.length}`);
}
