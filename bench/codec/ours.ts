import { BatchBuilder } from '../../proto/wire/batch-builder.ts';
import { readBatchHeader } from '../../proto/wire/batch-header.ts';
import { nextBatch } from '../../proto/wire/batch-scan.ts';
import { openBatch } from '../../proto/wire/open-batch.ts';
import { bytesSum, type CodecContender, readingSum, type SampleRecord } from './contender.ts';

interface Prepared {
  readonly timestamp: number;
  readonly key: Buffer;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, Buffer>>;
}

/**
 * Highwater's codec. Decoding checks the structure of every record and, unless told otherwise, the
 * checksum, as a client does.
 */
export function oursContender(isCrcChecked = true): CodecContender {
  let records: readonly Prepared[] = [];
  let bytesExpected = 16 * 1024;
  return {
    prepare(samples) {
      records = samples.map(prepareRecord);
    },
    encode() {
      const builder = new BatchBuilder({ bytesMax: 8_000_000, bytesExpected });
      for (const { timestamp, key, value, headers } of records) {
        builder.append(timestamp, key, value, headers);
      }
      const batch = builder.seal({ producerId: -1, producerEpoch: 0, baseSequence: 0 });
      bytesExpected = batch.length; // A producer knows how large its batches become.
      return batch;
    },
    decode(batch) {
      const header = isCrcChecked ? nextBatch(batch, 0) : readBatchHeader(batch, 0);
      if (header.kind !== 'batch') throw new Error('the head is refused');
      const cursor = openBatch(batch, header);
      if ('kind' in cursor) throw new Error(cursor.reason);
      let sum = 0;
      while (cursor.next()) {
        sum += readingSum(cursor.timestamp, cursor.key(), cursor.value());
        for (const { key, value } of cursor.headers()) sum += key.length + bytesSum(value);
      }
      return sum;
    },
  };
}

function prepareRecord(sample: SampleRecord): Prepared {
  return {
    timestamp: sample.timestamp,
    key: Buffer.from(sample.key),
    value: Buffer.from(sample.value),
    headers: { [sample.headerKey]: Buffer.from(sample.headerValue) },
  };
}
