/** `highwater consume`: records to standard output, at the speed of a pipe. */
import type { Client } from '../../client.ts';
import type { ReadRecord } from '../../reader/read-record.ts';
import type { ReaderOptions } from '../../reader/reader-options.ts';
import type { ReadStart } from '../../reader/start-offsets.ts';
import { choiceOf, clusterOptions, wholeNumber, wholeText, withClient } from '../cluster-option.ts';
import { jsonOfRecord } from '../record-json.ts';
import { exitCodes, UsageError, type Verb, type VerbInput } from '../verb.ts';

const formats = ['value', 'key-value', 'json'] as const;
const levels = ['any', 'session', 'leader', 'linearizable'] as const;

export const consumeVerb: Verb = {
  name: 'consume',
  summary: 'Print the records of a topic.',
  positionals: ['<topic>'],
  options: [
    {
      name: 'format',
      value: 'FORMAT',
      meaning:
        'value: a value a line; key-value: with the key and a tab before it; json (as --json).',
      default: 'value',
    },
    {
      name: 'from',
      value: 'WHERE',
      meaning: 'earliest, latest, an offset, -N for the last N of each partition, or a time.',
      default: 'earliest',
    },
    { name: 'to', value: 'OFFSET', meaning: 'End before this offset.' },
    { name: 'max', value: 'COUNT', meaning: 'End after so many records.' },
    { name: 'follow', meaning: 'Wait for more instead of ending at the end.' },
    { name: 'partition', value: 'NUMBER', meaning: 'Only this partition.' },
    {
      name: 'read-from',
      value: 'REPLICA',
      meaning: 'leader, nearest, or a node.',
      default: 'leader',
    },
    { name: 'rack', value: 'RACK', meaning: 'The own rack, for --read-from nearest.' },
    { name: 'level', value: 'LEVEL', meaning: `One of ${levels.join(', ')}.`, default: 'session' },
    ...clusterOptions,
  ],
  examples: [
    'highwater consume orders',
    'highwater consume orders --from -10 --follow',
    'highwater consume orders --from 2026-01-31T12:00:00Z --max 100 --json',
  ],
  run: (input) =>
    withClient(input, async (client) => {
      await printAll(client, input);
      return exitCodes.done;
    }),
};

async function printAll(client: Client, input: VerbInput): Promise<void> {
  const max = wholeNumber(input, 'max', 0) ?? Number.POSITIVE_INFINITY;
  const format = choiceOf(input, 'format', formats) ?? 'value';
  const print = printerOf(input.output.isJson ? 'json' : format);
  let count = 0;
  if (max === 0) return;
  const reader = client.reader(readerOptions(input));
  for await (const batch of reader.batches()) {
    const lines: (string | Buffer)[] = [];
    for (const record of batch) {
      print(record, lines);
      if (++count >= max) break;
    }
    await input.output.write(joined(lines));
    if (count >= max) return;
  }
}

function readerOptions(input: VerbInput): ReaderOptions {
  const [topic = ''] = input.positionals;
  const partition = wholeNumber(input, 'partition', 0);
  const to = wholeNumber(input, 'to', 0);
  const rack = input.option('rack');
  const level = choiceOf(input, 'level', levels);
  return {
    topic,
    from: startOf(input.option('from') ?? 'earliest'),
    follow: input.has('follow') || to !== undefined,
    readFrom: replicaOf(input.option('read-from') ?? 'leader'),
    signal: input.signal,
    ...(partition === undefined ? {} : { partition }),
    ...(to === undefined ? {} : { to: { offset: BigInt(to) } }),
    ...(rack === undefined ? {} : { rack }),
    ...(level === undefined ? {} : { level }),
  };
}

function startOf(text: string): ReadStart {
  if (text === 'earliest' || text === 'latest') return text;
  if (/^\d{1,16}$/.test(text)) return { offset: BigInt(text) };
  if (/^-\d{1,16}$/.test(text)) return { last: Number(text.slice(1)) };
  const timestamp = Date.parse(text);
  if (!Number.isNaN(timestamp)) return { timestamp };
  throw new UsageError(
    `--from ${JSON.stringify(text)}: expected earliest, latest, an offset, -N or a time`,
  );
}

function replicaOf(text: string): 'leader' | 'nearest' | number {
  return text === 'leader' || text === 'nearest' ? text : wholeText(text, '--read-from', 1);
}

type Printer = (record: ReadRecord, lines: (string | Buffer)[]) => void;

/** Values are written as the bytes that they are. */
function printerOf(format: (typeof formats)[number]): Printer {
  switch (format) {
    case 'json':
      return (record, lines) => lines.push(jsonOfRecord(record), '\n');
    case 'key-value':
      return (record, lines) => lines.push(record.key ?? '', '\t', record.value ?? '', '\n');
    case 'value':
      return (record, lines) => lines.push(record.value ?? '', '\n');
  }
}

function joined(parts: readonly (string | Buffer)[]): Buffer | string {
  if (parts.every((part) => typeof part === 'string')) return parts.join('');
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
}
