/**
 * The check of a batch that was read from disk (rule B5.4): its form and checksum, and what the
 * checksum does not cover, which is that it continues the log by offset and by epoch.
 */
import { type BatchHeader, crcMatches } from '../../proto/wire/batch-header.ts';

/** What the batch must continue. */
export interface BatchContext {
  /** Undefined where the offset before is not known. */
  readonly nextOffset: number | undefined;
  /** -1 where the epoch before is not known. */
  readonly epoch: number;
  /** False where the bytes are trusted and only heads matter. */
  readonly checkCrc: boolean;
}

/** Why the batch is not the next one of the log; undefined if it is. */
export function checkBatch(
  bytes: Buffer,
  header: BatchHeader,
  context: BatchContext,
): string | undefined {
  if (context.nextOffset !== undefined && header.baseOffset !== context.nextOffset) {
    return `offset ${context.nextOffset} is missing; ${header.baseOffset} is in its place`;
  }
  if (header.leaderEpoch < context.epoch) {
    return `epoch ${header.leaderEpoch} stands behind epoch ${context.epoch}`;
  }
  if (context.checkCrc && !crcMatches(bytes, header)) return 'the checksum differs';
  return undefined;
}
