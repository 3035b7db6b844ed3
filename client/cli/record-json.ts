/**
 * Records as JSON, one a line, the same for `produce` and `consume`, so that one feeds the other. Bytes
 * that are not UTF-8 travel as base64 under `key64` and `value64`, and in headers as `{ "base64": … }`; a
 * value that is itself JSON may be given as it is. Headers are an object, or pairs where
 * an object could not hold them.
 */
import { isUtf8 } from 'node:buffer';
import type { RecordHeaders } from '../../proto/wire/record-writer.ts';
import type { ProducerRecord } from '../producer/record.ts';
import type { ReadRecord } from '../reader/read-record.ts';
import { UsageError } from './verb.ts';

/** What a record may have; topic and offset of one that was consumed are not asked for. */
const fieldNames = [
  ...['value', 'value64', 'key', 'key64', 'headers', 'partition', 'timestamp'],
  ...['topic', 'offset'],
];

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
  const unknown = Object.keys(fields).find((name) => !fieldNames.includes(name));
  if (unknown !== undefined)
    throw new UsageError(
      `line ${at}: ${JSON.stringify(unknown)} is no field of a record; expected ${fieldNames.join(', ')}`,
    );
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
  return JSON.stringify({
    topic: record.topic,
    partition: record.partition,
    offset: Number(record.offset),
    timestamp: record.timestamp,
    ...textField('key', record.key),
    ...textField('value', record.value),
    ...(record.headers.length === 0 ? {} : { headers: jsonOfHeaders(record.headers) }),
  });
}

type HeaderJson = string | null | { readonly base64: string };

function jsonOfHeaders(headers: ReadRecord['headers']): unknown {
  const pairs = headers.map(({ key, value }): [string, HeaderJson] => {
    if (value === null) return [key, null];
    return [key, isUtf8(value) ? value.toString() : { base64: value.toString('base64') }];
  });
  const object = Object.fromEntries(pairs);
  // A name that occurs twice, or looks like a number, would not come back in its place.
  const names = Object.keys(object);
  const isFaithful =
    names.length === pairs.length && pairs.every(([name], index) => name === names[index]);
  return isFaithful ? object : pairs;
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

function headersOf(value: unknown, at: number): RecordHeaders {
  if (typeof value !== 'object' || value === null)
    throw new UsageError(`line ${at}: headers is an object of texts, or a list of pairs`);
  const pairs: unknown[] = Array.isArray(value) ? value : Object.entries(value);
  return pairs.map((pair): [string, string | Buffer | null] => {
    if (!Array.isArray(pair) || pair.length !== 2 || typeof pair[0] !== 'string')
      throw new UsageError(`line ${at}: a header is a pair of a name and a text`);
    return [pair[0], headerValueOf(pair[1], `line ${at}: header ${pair[0]}`)];
  });
}

function headerValueOf(value: unknown, what: string): string | Buffer | null {
  if (value === null || typeof value === 'string') return value;
  if (typeof value === 'object' && 'base64' in value && typeof value.base64 === 'string')
    return Buffer.from(value.base64, 'base64');
  throw new UsageError(`${what} is a text, null or { "base64": … }`);
}
