import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { linesOf } from '../../../client/cli/lines.ts';
import { jsonOfRecord, recordOfJson } from '../../../client/cli/record-json.ts';
import { ReadBatch } from '../../../client/reader/read-record.ts';
import { offset } from '../../../proto/model/offset.ts';
import { BatchBuilder } from '../../../proto/wire/batch-builder.ts';
import { readBatchHeader } from '../../../proto/wire/batch-header.ts';

async function allLines(chunks: readonly Uint8Array[]): Promise<string[]> {
  const lines: string[] = [];
  async function* source() {
    yield* chunks;
  }
  for await (const some of linesOf(source())) lines.push(...some.map((line) => line.toString()));
  return lines;
}

/** A record as a reader gives it. */
function readBack(key: Buffer | null, value: Buffer | null, headers: [string, Buffer | null][]) {
  const builder = new BatchBuilder({ bytesMax: 100_000 });
  builder.append(1_000, key, value, headers);
  const bytes = builder.seal();
  const header = readBatchHeader(bytes, 0);
  if (header.kind !== 'batch') throw new Error('a built batch can be read');
  const place = { topic: 't', partition: 0, from: offset(0), to: undefined };
  const [record] = [...new ReadBatch(place, bytes, header)];
  if (record === undefined) throw new Error('it has one record');
  return record;
}

describe('lines', () => {
  it('are the same however the bytes are cut', async () => {
    const text = 'a\n\nbé\r\nlast without an end';
    const expected = ['a', '', 'bé', 'last without an end'];
    const bytes = Buffer.from(text);
    for (let at = 0; at <= bytes.length; at++) {
      expect(await allLines([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(expected);
    }
    expect(await allLines(Array.from(bytes, (byte) => Buffer.of(byte)))).toEqual(expected);
    expect(await allLines([])).toEqual([]);
    expect(await allLines([Buffer.from('x\n')])).toEqual(['x']);
  });
});

describe('records as JSON', () => {
  it('come back from what was printed, byte for byte, whatever the bytes are', () => {
    const bytes = fc.option(fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array)));
    const headers = fc.array(fc.tuple(fc.string({ maxLength: 3 }), bytes), { maxLength: 4 });
    fc.assert(
      fc.property(bytes, bytes, headers, (key, value, given) => {
        const record = recordOfJson(jsonOfRecord(readBack(key, value, given)), 'copy', 1);
        const again = (field: unknown) =>
          field === null || field === undefined ? null : Buffer.from(field as string | Buffer);
        expect(again(record.key)).toEqual(key);
        expect(again(record.value)).toEqual(value);
        const pairs = [...((record.headers ?? []) as [string, unknown][])];
        expect(pairs.map(([name, field]) => [name, again(field)])).toEqual(given);
        expect(record.topic).toBe('copy');
      }),
    );
  });

  it('may hold JSON as their value', () => {
    expect(recordOfJson('{"value":{"a":1}}', 't', 1).value).toBe('{"a":1}');
  });

  it('that are none name the line and what is wrong', () => {
    const wrong = ['{', '7', '[]', '{"partition":"x"}', '{"headers":{"a":1}}', '{"key64":1}'];
    // A field that nobody knows is a value that would be lost.
    wrong.push('{"v":"a"}', '{"value":"a","Key":"b"}');
    for (const line of wrong) expect(() => recordOfJson(line, 't', 12)).toThrowError(/^line 12: /);
  });
});
