/**
 * A page of records for the topic browser. Bounded in records, bytes and time, whatever was asked for;
 * long values are cut and say so.
 */
import type { Client } from '../../../client/client.ts';
import type { ReadRecord } from '../../../client/reader/read-record.ts';
import type { ReadStart } from '../../../client/reader/start-offsets.ts';
import type { FieldView, RecordsAnswer, RecordView } from '../../../proto/dashboard/messages.ts';
import { HighwaterError } from '../../../proto/model/errors.ts';

export interface RecordsQuestion {
  readonly topic: string;
  readonly partition: number;
  readonly from: ReadStart;
  readonly count: number;
  /** The replica to read from; the leader if absent. */
  readonly replica: number | undefined;
}

const countMax = 200;
const fieldBytesMax = 2_048;
const answerBytesMax = 512 * 1024;
const answerMs = 5_000;

/** What the query of a URL asks for; throws INVALID_REQUEST. */
export function recordsQuestion(query: URLSearchParams): RecordsQuestion {
  const topic = query.get('topic') ?? '';
  const replica = query.get('replica');
  const count = numberOf(query.get('count') ?? '50', 'count');
  const at = query.get('from') ?? 'latest';
  const limited = Math.max(1, Math.min(count, countMax));
  const from: ReadStart =
    at === 'earliest'
      ? 'earliest'
      : at === 'latest'
        ? { last: limited }
        : { offset: BigInt(numberOf(at, 'from')) };
  return {
    topic,
    partition: numberOf(query.get('partition') ?? '0', 'partition'),
    from,
    count: limited,
    replica: replica === null ? undefined : numberOf(replica, 'replica'),
  };
}

/** Reads up to the watermark of now. */
export async function readRecords(
  client: Client,
  question: RecordsQuestion,
): Promise<RecordsAnswer> {
  const { topic, partition, from, count, replica } = question;
  const reader = client.reader({
    topic,
    partition,
    from,
    to: 'latest',
    level: 'any',
    prefetchBytesMax: 1024 * 1024,
    signal: AbortSignal.timeout(answerMs),
    ...(replica === undefined ? {} : { readFrom: replica }),
  });
  const records: RecordView[] = [];
  let bytes = 0;
  for await (const record of reader) {
    const view = viewOf(record);
    records.push(view);
    bytes += (view.key?.shown.length ?? 0) + (view.value?.shown.length ?? 0) + 100;
    if (records.length >= count || bytes > answerBytesMax) return { records, isCut: true };
  }
  return { records, isCut: false };
}

function numberOf(text: string, name: string): number {
  if (!/^\d{1,15}$/.test(text))
    throw new HighwaterError('INVALID_REQUEST', `${name}: expected a whole number, not ${text}`);
  return Number(text);
}

function viewOf(record: ReadRecord): RecordView {
  return {
    offset: String(record.offset),
    timestamp: record.timestamp,
    leaderEpoch: record.leaderEpoch,
    key: fieldView(record.key),
    value: fieldView(record.value),
    headers: record.headers.slice(0, 20).map(({ key, value }) => [key, fieldView(value)] as const),
  };
}

const decoder = new TextDecoder('utf-8', { fatal: true });

function fieldView(bytes: Buffer | null): FieldView | null {
  if (bytes === null) return null;
  const isCut = bytes.length > fieldBytesMax;
  const head = isCut ? bytes.subarray(0, fieldBytesMax) : bytes;
  const text = textOf(head, isCut);
  return {
    form: text === undefined ? 'hex' : 'text',
    shown: text ?? head.subarray(0, fieldBytesMax / 2).toString('hex'),
    bytes: bytes.length,
    isCut,
  };
}

/** Undefined where the bytes are no text. A cut may have split the last character. */
function textOf(bytes: Buffer, isCut: boolean): string | undefined {
  if (bytes.some((byte) => byte < 9 || (byte > 13 && byte < 32))) return undefined;
  for (let less = 0; less <= (isCut ? 3 : 0); less++) {
    try {
      return decoder.decode(bytes.subarray(0, bytes.length - less));
    } catch {
      // Not text up to here; perhaps only its last character is not whole.
    }
  }
  return undefined;
}
