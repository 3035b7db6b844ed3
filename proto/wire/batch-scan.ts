/**
 * Batches back to back in one buffer, as segments, fetch answers and replication frames hold them.
 * A cut tail and damage are different answers: the first is the ordinary end of a crashed write or
 * of a partial read, the second means that bytes changed.
 */
import { type BatchFault, batchFault } from './batch-fault.ts';
import { type BatchHeader, crcMatches, readBatchHeader, type TornBatch } from './batch-header.ts';

/** All of the bytes were taken. */
export interface ScanEnd {
  readonly kind: 'end';
}

/** A damaged batch and where it lies. */
export interface DamagedBatch {
  readonly kind: 'damaged';
  readonly at: number;
  readonly fault: BatchFault;
}

export type ScanStep = BatchHeader | TornBatch | DamagedBatch | ScanEnd;

const scanEnd: ScanEnd = { kind: 'end' };

/**
 * The batch at a position, its checksum verified. Go on at `at + byteLength`. A damaged length field
 * can look like a tear: whoever reads a file decides by what follows.
 */
export function nextBatch(bytes: Buffer, at: number, end: number = bytes.length): ScanStep {
  if (at >= end) return scanEnd;
  const header = readBatchHeader(bytes, at, end);
  switch (header.kind) {
    case 'torn':
      return header;
    case 'fault':
      return { kind: 'damaged', at, fault: header };
    case 'batch':
      if (crcMatches(bytes, header)) return header;
      return { kind: 'damaged', at, fault: batchFault('CORRUPT_BATCH', 'the checksum differs') };
  }
}
