/**
 * What a broker asks of a batch before it appends it (rows F14, F15, F16). Records stay unread:
 * their structure is the reader's to check, with an error of its own that harms nobody else.
 *
 * A producer may not mark a batch as transactional or control, may not claim the broker's timestamp,
 * and sets no bit whose meaning is unknown here. Base offset and leader epoch are overwritten, so
 * what a client wrote there does not matter.
 */
import { limits } from '../model/limits.ts';
import { type BatchFault, batchFault } from './batch-fault.ts';
import { type BatchHeader, crcMatches, readBatchHeader } from './batch-header.ts';
import { attributeBits } from './batch-layout.ts';

export interface ProduceRules {
  /** `max.message.bytes` of the topic, for the batch as it was sent. */
  readonly batchBytesMax: number;
  /** The wall clock, against timestamps in the future. */
  readonly nowMs: number;
}

/** The one batch that fills `bytes` from `at` to `end`, or why it is refused. Never throws. */
export function checkProducedBatch(
  bytes: Buffer,
  span: { readonly at: number; readonly end: number },
  rules: ProduceRules,
): BatchHeader | BatchFault {
  if (span.end - span.at > rules.batchBytesMax) {
    return batchFault(
      'RECORD_TOO_LARGE',
      `a batch of ${span.end - span.at} bytes; the topic takes ${rules.batchBytesMax}`,
    );
  }
  const header = readBatchHeader(bytes, span.at, span.end);
  if (header.kind === 'fault') return header;
  if (header.kind === 'torn') {
    return batchFault('CORRUPT_BATCH', `a batch cut short: it needs ${header.bytesNeeded} bytes`);
  }
  if (header.byteLength !== span.end - span.at) {
    return batchFault('CORRUPT_BATCH', 'bytes follow the batch');
  }
  if (!crcMatches(bytes, header)) return batchFault('CORRUPT_BATCH', 'the checksum differs');
  return (
    countFault(header) ??
    attributeFault(header) ??
    producerFault(header) ??
    timeFault(header, rules) ??
    header
  );
}

function countFault(header: BatchHeader): BatchFault | undefined {
  if (header.recordCount > 0 && header.recordCount === header.lastOffsetDelta + 1) return undefined;
  return batchFault(
    'INVALID_RECORD',
    `${header.recordCount} records with a last offset delta of ${header.lastOffsetDelta}`,
  );
}

function attributeFault(header: BatchHeader): BatchFault | undefined {
  const { attributes } = header;
  if ((attributes & attributeBits.control) !== 0) {
    return batchFault('INVALID_RECORD', 'a client may not write control batches');
  }
  if ((attributes & attributeBits.transactional) !== 0) {
    return batchFault('INVALID_RECORD', 'a transactional batch without a transaction');
  }
  if ((attributes & attributeBits.logAppendTime) !== 0) {
    return batchFault('INVALID_RECORD', 'a client may not claim log append time');
  }
  if ((attributes & ~attributeBits.codec) !== 0) {
    return batchFault('INVALID_RECORD', `unknown attributes 0x${attributes.toString(16)}`);
  }
  return undefined;
}

/** Kafka's clients disagree on what epoch and sequence say beside the producer id -1; it is unused. */
function producerFault(header: BatchHeader): BatchFault | undefined {
  if (header.producerId === -1) return undefined;
  if (header.producerId >= 0 && header.producerEpoch >= 0 && header.baseSequence >= 0) {
    return undefined;
  }
  return batchFault(
    'INVALID_RECORD',
    `producer id ${header.producerId}, epoch ${header.producerEpoch}, sequence ${header.baseSequence}`,
  );
}

function timeFault(header: BatchHeader, rules: ProduceRules): BatchFault | undefined {
  const latest = Math.max(header.baseTimestamp, header.maxTimestamp);
  if (header.baseTimestamp < -1 || header.maxTimestamp < -1) {
    return batchFault('INVALID_TIMESTAMP', 'a negative timestamp');
  }
  if (latest <= rules.nowMs + limits.timestampAheadMsMax) return undefined;
  return batchFault('INVALID_TIMESTAMP', `timestamp ${latest} is too far in the future`);
}
