/** `highwater produce`: standard input to a topic, at the speed of a pipe. */
import { acksLevels } from '../../../proto/model/acks.ts';
import { compressionNames } from '../../../proto/wire/compression-id.ts';
import type { BulkWriter } from '../../producer/bulk-writer.ts';
import type { ProducerRecord } from '../../producer/record.ts';
import { choiceOf, clusterOptions, pairsOf, wholeNumber, withClient } from '../cluster-option.ts';
import { linesOf } from '../lines.ts';
import { recordOfJson } from '../record-json.ts';
import { exitCodes, type Verb, type VerbInput } from '../verb.ts';

const formats = ['lines', 'ndjson'] as const;
const progressMs = 1_000;

export const produceVerb: Verb = {
  name: 'produce',
  summary: 'Write the lines of standard input as records.',
  positionals: ['<topic>'],
  options: [
    {
      name: 'format',
      value: 'FORMAT',
      meaning: 'lines: a value a line; ndjson: {"key","value","headers","partition"} a line.',
      default: 'lines',
    },
    { name: 'key', value: 'KEY', meaning: 'Key of every record that names none.' },
    {
      name: 'key-separator',
      value: 'TEXT',
      meaning: 'Lines are KEY, this text, VALUE.',
    },
    {
      name: 'headers',
      value: 'NAME=VALUE',
      meaning: 'A header of every record that has none; may be given several times.',
      repeated: true,
    },
    {
      name: 'partition',
      value: 'NUMBER',
      meaning: 'Write to this partition, whatever a line says.',
    },
    { name: 'acks', value: 'LEVEL', meaning: `One of ${acksLevels.join(', ')}.`, default: 'all' },
    {
      name: 'compression',
      value: 'CODEC',
      meaning: `One of ${compressionNames.join(', ')}.`,
      default: 'none',
    },
    ...clusterOptions,
  ],
  examples: [
    'echo hello | highwater produce orders',
    'highwater produce orders --key-separator : < pairs.txt',
    'highwater consume orders --json | highwater produce copy --format ndjson',
  ],
  run: (input) =>
    withClient(input, async (client) => {
      const acks = choiceOf(input, 'acks', acksLevels) ?? 'all';
      const compression = choiceOf(input, 'compression', compressionNames) ?? 'none';
      const producer = client.producer({ acks, compression });
      const writer = producer.writer();
      try {
        await writeAll(input, writer);
      } catch (caught) {
        // Whoever mends the input has to know where to go on.
        await writer.flush().catch(() => undefined);
        input.output.note(`${writer.writtenCount} records were written before this:`);
        throw caught;
      }
      const { written, degraded } = await writer.flush();
      const [topic] = input.positionals;
      if (input.output.isJson) input.output.value({ topic, written, degraded });
      else input.output.note(`${written} records written to ${topic}`);
      return exitCodes.done;
    }),
};

async function writeAll(input: VerbInput, writer: BulkWriter): Promise<void> {
  const toRecord = recordMaker(input);
  let at = 0;
  const skipsBlank = input.option('format') === 'ndjson';
  let toldMs = performance.now();
  if (input.stdin === undefined && process.stdin.isTTY)
    input.output.note('Each line is a record; Ctrl-D ends.');
  for await (const lines of linesOf(input.stdin ?? process.stdin)) {
    for (const line of lines) {
      at++;
      if (skipsBlank && line.length === 0) continue;
      const room = writer.write(toRecord(line, at));
      if (room !== undefined) await room;
    }
    if (input.signal.aborted) return;
    if (performance.now() - toldMs < progressMs) continue;
    toldMs = performance.now();
    if (!input.output.isJson) input.output.note(`${writer.writtenCount} records written`);
  }
}

/** From a line to a record, as the options say. */
function recordMaker(input: VerbInput): (line: Buffer, at: number) => ProducerRecord {
  const [topic = ''] = input.positionals;
  const format = choiceOf(input, 'format', formats) ?? 'lines';
  const separator = input.option('key-separator');
  const headers = pairsOf(input.options('headers'), '--headers');
  const partition = wholeNumber(input, 'partition', 0);
  const key = input.option('key');
  const every = {
    topic,
    ...(key === undefined ? {} : { key }),
    ...(headers.size === 0 ? {} : { headers: Object.fromEntries(headers) }),
    ...(partition === undefined ? {} : { partition }),
  };
  if (format === 'ndjson') {
    return (line, at) => {
      const record = recordOfJson(line.toString(), topic, at);
      const where = partition === undefined ? {} : { partition };
      return { ...every, ...record, ...where, key: record.key ?? key };
    };
  }
  if (separator === undefined || separator === '') return (line) => ({ ...every, value: line });
  return (line) => {
    const cut = line.indexOf(separator);
    if (cut < 0) return { ...every, value: line };
    const value = line.subarray(cut + Buffer.byteLength(separator));
    return { ...every, key: line.subarray(0, cut), value };
  };
}
