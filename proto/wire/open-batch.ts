/**
 * From the bytes of a batch to its records: checksum, decompression within bounds, structure. All
 * checks happen here, once for each batch; the cursor that comes out cannot fail.
 */
import { type BatchFault, batchFault } from './batch-fault.ts';
import { type BatchHeader, crcMatches } from './batch-header.ts';
import { layout } from './batch-layout.ts';
import { decompress } from './compression/codecs.ts';
import { findRecordFault, type RecordSpan } from './record-check.ts';
import { RecordCursor } from './record-cursor.ts';

/**
 * Opens a batch whose head was read from the same bytes. A codec other than none and gzip must have
 * been loaded before (`loadCompression`).
 */
export function openBatch(bytes: Buffer, header: BatchHeader): RecordCursor | BatchFault {
  if (!crcMatches(bytes, header)) return batchFault('CORRUPT_BATCH', 'the checksum differs');
  const span = recordSpan(bytes, header);
  if ('kind' in span) return span;
  return findRecordFault(header, span) ?? new RecordCursor(header, span);
}

function recordSpan(bytes: Buffer, header: BatchHeader): RecordSpan | BatchFault {
  const from = header.at + layout.records;
  const to = header.at + header.byteLength;
  if (header.compression === 0) return { bytes, from, to };
  const records = decompress(header.compression, bytes.subarray(from, to));
  return Buffer.isBuffer(records) ? { bytes: records, from: 0, to: records.length } : records;
}
