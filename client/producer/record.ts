/** A record as a user gives it, and the check that it is one. */
import { type Acks, acksLevels } from '../../proto/model/acks.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import type { RecordBytes, RecordHeaders } from '../../proto/wire/record-writer.ts';
import { checkedChoice, invalidRequest } from '../connection/checked-input.ts';

/** What can be sent. Strings are UTF-8. */
export interface ProducerRecord {
  readonly topic: string;
  readonly value?: RecordBytes;
  /** Records of one key go to one partition, in order. */
  readonly key?: RecordBytes;
  /** An object, or pairs where a name occurs more than once. */
  readonly headers?: RecordHeaders;
  /** By number instead of by key. */
  readonly partition?: number;
  /** Milliseconds since 1970; the time of the call if absent. */
  readonly timestamp?: number;
}

/** For one send. */
export interface SendOptions {
  /** Instead of the producer's. */
  readonly acks?: Acks;
  readonly signal?: AbortSignal;
}

/** For many records at once. */
export interface SendBatchOptions extends SendOptions {
  /** All into one partition, the first one's, and all of them written or none. */
  readonly atomic?: boolean;
  /**
   * Atomic, and only if the partition's log ends here: otherwise OFFSET_MISMATCH. What a writer needs
   * that must be the only one, or that decided by what it has read.
   */
  readonly expectedOffset?: bigint;
}

/** The level of a send: a word that names none is refused, never taken for a weaker promise. */
export function levelOf(options: SendOptions | undefined, producers: Acks): Acks {
  const acks = options?.acks;
  return acks === undefined ? producers : checkedChoice(acks, acksLevels, 'acks');
}

/** Why this is no record, or undefined. Checked before any byte of it is copied. */
export function faultOf(record: ProducerRecord): HighwaterError | undefined {
  if (typeof record !== 'object' || record === null)
    return invalidRequest(`a record is an object with a topic and a value, not ${String(record)}`);
  const { topic, key, value, headers, timestamp } = record;
  if (typeof topic !== 'string') return invalidRequest('a record names its topic');
  if (!isBytes(key)) return invalidRequest('key: expected a string, bytes or null');
  if (!isBytes(value)) return invalidRequest('value: expected a string, bytes or null');
  if (timestamp !== undefined && !(Number.isSafeInteger(timestamp) && timestamp >= 0))
    return invalidRequest(`timestamp ${String(timestamp)}: expected whole milliseconds from 0`);
  return headers === undefined ? undefined : headersFault(headers);
}

function headersFault(headers: RecordHeaders): HighwaterError | undefined {
  const pairs = Array.isArray(headers) ? headers : Object.entries(headers ?? {});
  for (const [name, value] of pairs as readonly (readonly [unknown, unknown])[]) {
    if (typeof name !== 'string' || !isBytes(value))
      return invalidRequest(`header ${String(name)}: expected a string, bytes or null`);
  }
  return undefined;
}

function isBytes(value: unknown): boolean {
  return (
    value === undefined ||
    value === null ||
    typeof value === 'string' ||
    value instanceof Uint8Array
  );
}

/** Roughly what a waiting record holds in memory. */
export function bytesOf(record: ProducerRecord): number {
  return 128 + (record.key?.length ?? 0) + (record.value?.length ?? 0);
}

/** A record that no batch of its topic can hold. */
export function tooLargeError(record: ProducerRecord, bytesMax: number): HighwaterError {
  return new HighwaterError(
    'RECORD_TOO_LARGE',
    `a record of ${bytesOf(record)} bytes: ${record.topic} takes batches of ${bytesMax}`,
    { outcome: 'not-written', facts: { bytesMax } },
  );
}
