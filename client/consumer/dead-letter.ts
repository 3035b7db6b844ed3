/** Records that no attempt could handle: a copy of each with its error goes to a topic of their own. */
import type { ProducerRecord } from '../producer/record.ts';
import type { ReadRecord } from '../reader/read-record.ts';

/** Where they go, and after how many failed attempts. */
export interface DeadLetterOptions {
  readonly topic: string;
  /** Further attempts before that; none by default. */
  readonly retries?: number;
  readonly retryPauseMs?: number;
}

const prefix = 'highwater.dead-letter.';
/** A stack or message longer than this is cut. */
const textLengthMax = 4_096;

/** The copy: key, value and headers as they were, and where it came from and why. */
export function deadLetterOf(
  record: ReadRecord,
  error: unknown,
  { topic, group }: { readonly topic: string; readonly group: string },
): ProducerRecord {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const facts = {
    group,
    topic: record.topic,
    partition: String(record.partition),
    offset: String(record.offset),
    error: text.slice(0, textLengthMax),
    stack: (error instanceof Error ? (error.stack ?? '') : '').slice(0, textLengthMax),
  };
  const added = Object.entries(facts).map(([name, value]): [string, string] => [
    `${prefix}${name}`,
    value,
  ]);
  const kept = record.headers.map(({ key, value }): [string, Buffer | null] => [key, value]);
  return {
    topic,
    key: record.key,
    value: record.value,
    headers: [...kept, ...added],
    timestamp: record.timestamp,
  };
}
