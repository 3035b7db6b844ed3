/** Records that came one by one, from any language or tool, made into the batch that is stored. */
import type { PlainRecord, ProduceRequest } from '../../proto/generated/highwater/v1/produce.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import { limits } from '../../proto/model/limits.ts';
import { BatchBuilder } from '../../proto/wire/batch-builder.ts';

/** Encodes the records without compression; a record without a timestamp gets the broker's. */
export function encodePlainRecords(records: readonly PlainRecord[], nowMs: number): Buffer {
  const builder = new BatchBuilder({ bytesMax: limits.batchBytesMax });
  for (const record of records) {
    const timestamp = record.timestamp ?? nowMs;
    if (timestamp < 0)
      throw new HighwaterError('INVALID_TIMESTAMP', `timestamp ${timestamp}: expected 0 or more`, {
        outcome: 'not-written',
      });
    const headers = record.headers.map((header) => [header.key, header.value] as const);
    if (!builder.append(timestamp, record.key, record.value, headers)) {
      throw new HighwaterError(
        'RECORD_TOO_LARGE',
        `the records exceed ${limits.batchBytesMax} bytes`,
        { outcome: 'not-written' },
      );
    }
  }
  return builder.seal();
}

/** What objects take beside the bytes that they hold, roughly. */
const objectBytes = 128;

/** Bytes that a request keeps in memory until it is answered. */
export function bytesHeld({ partitions, batches }: ProduceRequest): number {
  let bytes = (batches[0]?.length ?? 0) + objectBytes;
  for (const { records } of partitions) {
    bytes += objectBytes;
    for (const { key, value, headers } of records) {
      bytes += objectBytes * (1 + headers.length) + (key?.length ?? 0) + (value?.length ?? 0);
      for (const header of headers) bytes += header.key.length + (header.value?.length ?? 0);
    }
  }
  return bytes;
}
