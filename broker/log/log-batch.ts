/** A batch that a log has accepted. */
import type { BatchHeader } from '../../proto/wire/batch-header.ts';

/** All that memory keeps of a batch on its way into the file, and at the tail: one object for both. */
export interface LogBatch {
  readonly bytes: Buffer;
  readonly baseOffset: number;
  /** Exclusive. */
  readonly endOffset: number;
  readonly maxTimestamp: number;
}

/** The batch that begins at the start of the bytes and is all of them. */
export function logBatch(bytes: Buffer, header: BatchHeader): LogBatch {
  const { baseOffset, lastOffset, maxTimestamp } = header;
  return { bytes, baseOffset, endOffset: lastOffset + 1, maxTimestamp };
}
