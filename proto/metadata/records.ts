/**
 * Metadata records: committed facts, and their bytes. A change is the list of records of one entry of
 * the quorum log; it is applied whole or not at all.
 */
import { MetadataRecord } from '../generated/highwater/metadata/v1/records.ts';
import { HighwaterError } from '../model/errors.ts';

export type {
  BrokerIntent,
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
export function encodeRecords(records: readonly MetadataRecord[]): Uint8Array {
  const parts = records.map((one) => joined(MetadataRecord.encode(one)));
  const size = parts.reduce((sum, part) => sum + varintBytes(part.length) + part.length, 0);
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    for (let rest = part.length; ; rest >>>= 7) {
      bytes[at++] = rest > 127 ? (rest & 127) | 128 : rest;
      if (rest <= 127) break;
    }
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** The records of a change. Throws INVALID_REQUEST for bytes that are none. */
export function decodeRecords(bytes: Uint8Array): MetadataRecord[] {
  const records: MetadataRecord[] = [];
  for (let at = 0; at < bytes.length; ) {
    const { value, next } = readVarint(bytes, at);
    if (next + value > bytes.length) throw truncated(bytes);
    records.push(MetadataRecord.decode(bytes.subarray(next, next + value)));
    at = next + value;
  }
  return records;
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

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest > 127; rest >>>= 7) bytes++;
  return bytes;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) return first;
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function truncated(bytes: Uint8Array): HighwaterError {
  return new HighwaterError('INVALID_REQUEST', `metadata records end early, at ${bytes.length}`);
}
