/** What every reader of batches promises, whatever the bytes. */
import assert from 'node:assert/strict';
import type { BatchHeader } from '../../../proto/wire/batch-header.ts';
import { batchHeaderBytes, layout } from '../../../proto/wire/batch-layout.ts';
import { nextBatch } from '../../../proto/wire/batch-scan.ts';
import { decompress, decompressedBytesAllowed } from '../../../proto/wire/compression/codecs.ts';
import { crc32c } from '../../../proto/wire/crc32c.ts';
import { openBatch } from '../../../proto/wire/open-batch.ts';
import { checkProducedBatch } from '../../../proto/wire/produce-check.ts';
import type { RecordCursor } from '../../../proto/wire/record-cursor.ts';
import { RecordWriter } from '../../../proto/wire/record-writer.ts';

const rules = { batchBytesMax: 1_048_576, nowMs: 1_800_000_000_000 };

/** Makes length and checksum right, so that what lies behind them is reached. */
export function repairBatch(input: Buffer): Buffer {
  if (input.length < batchHeaderBytes) return input;
  const repaired = Buffer.from(input);
  repaired.writeInt32BE(repaired.length - layout.leaderEpoch, layout.batchLength);
  repaired.writeUInt32BE(crc32c(repaired.subarray(layout.attributes)), layout.crc);
  return repaired;
}

/** Nothing throws, nothing outside the slice is read, and what is accepted is exactly what it says. */
export function checkBatchPromises(input: Buffer): void {
  const outcomes = [0x00, 0xff, 0x81].map((filler) => readAmong(input, filler));
  assert.deepEqual(outcomes[1], outcomes[0], 'bytes outside the batch change the outcome');
  assert.deepEqual(outcomes[2], outcomes[0], 'bytes outside the batch change the outcome');
}

/** Reads the input as the middle of a larger buffer. */
function readAmong(input: Buffer, filler: number): unknown[] {
  const around = Buffer.alloc(input.length + 64, filler);
  around.set(input, 32);
  const end = 32 + input.length;
  const outcome: unknown[] = [checkProducedBatch(around, { at: 32, end }, rules)];
  const header = nextBatch(around, 32, end);
  outcome.push(header);
  if (header.kind !== 'batch') return outcome;
  assert.ok(header.byteLength <= input.length, 'a batch ends where its bytes end');
  const cursor = openBatch(around, header);
  outcome.push('kind' in cursor ? cursor : readAll(cursor, recordBytes(around, header)));
  return outcome;
}

/** The records as they were checked: decompressed where need be. */
function recordBytes(bytes: Buffer, header: BatchHeader): Buffer {
  const packed = bytes.subarray(header.at + layout.records, header.at + header.byteLength);
  if (header.compression === 0) return packed;
  const records = decompress(header.compression, packed);
  assert.ok(Buffer.isBuffer(records), 'what was decompressed once is decompressed again');
  assert.ok(records.length <= decompressedBytesAllowed(packed.length), 'a bomb went off');
  return records;
}

/** Reads all records and writes them again: accepted bytes are the only spelling of what they say. */
function readAll(cursor: RecordCursor, records: Buffer): unknown[] {
  const { header } = cursor;
  const writer = new RecordWriter(Buffer.alloc(256), 0);
  const read: unknown[] = [];
  let isFaithful = (header.attributes & 0x08) === 0;
  while (cursor.next()) {
    const key = cursor.key();
    const value = cursor.value();
    const headers = cursor.headers();
    read.push([cursor.offset, cursor.timestamp, key, value, headers]);
    // A header key that is not UTF-8 is read with replacement characters.
    if (headers.some((each) => each.key.includes('\ufffd'))) isFaithful = false;
    writer.begin(cursor.timestamp - header.baseTimestamp, cursor.offset - header.baseOffset, 64);
    writer.field(key);
    writer.field(value);
    writer.headers(headers.map((each) => [each.key, each.value] as const));
    writer.finish();
  }
  assert.equal(read.length, header.recordCount, 'all records are read');
  if (isFaithful) {
    const written = writer.bytes.subarray(0, writer.at);
    assert.ok(written.equals(records), 'accepted bytes come out the same when written again');
  }
  return read;
}
