/** Records for the codec tests, and ours both ways on them. */
import { expect } from 'vitest';
import { BatchBuilder, type BatchSeal, unsequenced } from '../../../proto/wire/batch-builder.ts';
import { type BatchFault, batchFault } from '../../../proto/wire/batch-fault.ts';
import { nextBatch } from '../../../proto/wire/batch-scan.ts';
import { openBatch } from '../../../proto/wire/open-batch.ts';
import type { PeerRecord } from './peers.ts';

/** Records with every shape that the format knows: nulls, empties, headers, times out of order. */
export function sampleRecords(): PeerRecord[] {
  const at = 1_700_000_000_000;
  return [
    { timestamp: at, key: Buffer.from('k'), value: Buffer.from('v'), headers: {} },
    { timestamp: at + 5, key: null, value: Buffer.from('no key'), headers: {} },
    { timestamp: at + 7, key: Buffer.from('deleted'), value: null, headers: {} },
    { timestamp: at + 6, key: Buffer.alloc(0), value: Buffer.alloc(0), headers: {} },
    {
      timestamp: at - 86_400_000,
      key: Buffer.from('earlier'),
      value: Buffer.alloc(64, 1),
      headers: {},
    },
    {
      timestamp: at + 4_000_000_000,
      key: Buffer.from('later'),
      value: Buffer.alloc(9000, 'abc'),
      headers: { trace: Buffer.from('00-4bf9'), größe: Buffer.from('ü'), empty: Buffer.alloc(0) },
    },
    ...Array.from({ length: 200 }, (_, index) => ({
      timestamp: at + index,
      key: Buffer.from(`key-${index}`),
      value: Buffer.from(`value ${index} `.repeat(index % 13)),
      headers: { index: Buffer.from(String(index)) },
    })),
  ];
}

/** A batch as ours writes it. */
export function encode(records: readonly PeerRecord[], seal: BatchSeal = unsequenced): Buffer {
  const builder = new BatchBuilder({ bytesMax: 8_000_000, bytesExpected: 256 });
  for (const record of records) {
    expect(builder.append(record.timestamp, record.key, record.value, record.headers)).toBe(true);
  }
  return builder.seal(seal);
}

/** What ours reads from a batch, or why it does not. */
export function decode(bytes: Buffer): PeerRecord[] | BatchFault {
  const header = nextBatch(bytes, 0);
  if (header.kind === 'damaged') return header.fault;
  if (header.kind !== 'batch') return batchFault('CORRUPT_BATCH', header.kind);
  const cursor = openBatch(bytes, header);
  if ('kind' in cursor) return cursor;
  const records: PeerRecord[] = [];
  while (cursor.next()) {
    const headers = cursor.headers().map(({ key, value }) => [key, value as Buffer] as const);
    records.push({
      timestamp: cursor.timestamp,
      key: cursor.key(),
      value: cursor.value(),
      headers: Object.fromEntries(headers),
    });
  }
  return records;
}
