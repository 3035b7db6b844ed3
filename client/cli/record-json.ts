/**
 * Records as JSON, one a line, the same for `produce` and `consume`, so that one feeds the other. Bytes
 * that are not UTF-8 travel as base64 under `key64` and `value64`; a value that is itself JSON may be
 * given as it is.
 */
import { isUtf8 } from 'node:buffer';
import type { ProducerRecord } from '../producer/record.ts';
import type { ReadRecord } from '../reader/read-record.ts';
import { UsageError } from './verb.ts';

/** Reads one line; `at` names the line in a mistake. */
export function recordOfJson(line: string, topic: string, at: number): ProducerRecord {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    throw new UsageError(`line ${at}: this is not JSON`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new UsageError(`line ${at}: expected an object with value, key, headers`);
  const fields: Readonly<Record<string, unknown>> = { ...parsed };
  const { partition, timestamp } = fields;
  if (partition !== undefined && typeof partition !== 'number')
    throw new UsageError(`line ${at}: partition is a number`);
  if (timestamp !== undefined && typeof timestamp !== 'number')
    throw new UsageError(`line ${at}: timestamp is a number of milliseconds`);
  return {
    topic,
    key: bytesOf(fields, 'key', at),
    value: bytesOf(fields, 'value', at),
    ...(fields['headers'] === undefined ? {} : { headers: headersOf(fields['headers'], at) }),
    ...(partition === undefined ? {} : { partition }),
    ...(timestamp === undefined ? {} : { timestamp }),
  };
}

/** One record as one line of JSON. */
export function jsonOfRecord(record: ReadRecord): string {
  const headers: Record<string, string | null> = {};
  for (const header of record.headers) headers[header.key] = header.value?.toString() ?? null;
  return JSON.stringify({
    topic: record.topic,
    partition: record.partition,
    offset: Number(record.offset),
    timestamp: record.timestamp,
    ...textField('key', record.key),
    ...textField('value', record.value),
    ...(record.headers.length === 0 ? {} : { headers }),
  });
}

function textField(name: string, bytes: Buffer | null): Readonly<Record<string, string | null>> {
  if (bytes === null) return { [name]: null };
  return isUtf8(bytes) ? { [name]: bytes.toString() } : { [`${name}64`]: bytes.toString('base64') };
}

function bytesOf(
  fields: Readonly<Record<string, unknown>>,
  name: string,
  at: number,
): string | Buffer | null {
  const coded = fields[`${name}64`];
  if (coded !== undefined) {
    if (typeof coded !== 'string') throw new UsageError(`line ${at}: ${name}64 is base64 text`);
    return Buffer.from(coded, 'base64');
  }
  const plain = fields[name];
  if (plain === undefined || plain === null) return null;
  return typeof plain === 'string' ? plain : JSON.stringify(plain);
}

function headersOf(value: unknown, at: number): Record<string, string | null> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new UsageError(`line ${at}: headers is an object of texts`);
  return Object.fromEntries(
    Object.entries(value).map(([name, text]: [string, unknown]) => {
      if (text !== null && typeof text !== 'string')
        throw new UsageError(`line ${at}: header ${name} is a text`);
      return [name, text];
    }),
  );
}
