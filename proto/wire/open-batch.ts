/**
 * From a batch to its records: decompression within bounds, then the structure of all records. The
 * checksum was verified by `nextBatch`, which found the batch; the cursor that comes out cannot fail.
 */
import type { BatchFault } from './batch-fault.ts';
import type { BatchHeader } from './batch-header.ts';
import { layout } from './batch-layout.ts';
import { decompress } from './compression/codecs.ts';
import { findRecordFault, type RecordSpan } from './record-check.ts';
import { RecordCursor } from './record-cursor.ts';

/**
 * Opens a batch that `nextBatch` found in the same bytes. A codec other than none and gzip must have
 * been loaded before (`loadCompression`).
 */
export function openBatch(bytes: Buffer, header: BatchHeader): RecordCursor | BatchFault {
  const span = checkedRecords(bytes, header);
  return 'kind' in span ? span : new RecordCursor(header, span);
}

/** Where the uncompressed records of a batch lie, their structure checked; the same conditions hold. */
export function checkedRecords(bytes: Buffer, header: BatchHeader): RecordSpan | BatchFault {
  const span = recordSpan(bytes, header);
  if ('kind' in span) return span;
  return findRecordFault(header, span) ?? span;
}

function recordSpan(bytes: Buffer, header: BatchHeader): RecordSpan | BatchFault {
  const from = header.at + layout.records;
  const to = header.at + header.byteLength;
  if (header.compression === 0) return { bytes, from, to };
  const records = decompress(header.compression, bytes.subarray(from, to));
  return Buffer.isBuffer(records) ? { bytes: records, from: 0, to: records.length } : records;
}
