/**
 * What is wrong with a batch. A value, not an exception: batches come from outside, and a wrong one
 * is an ordinary answer. Every code says NOT_WRITTEN for a produce.
 */
import type { ErrorCode } from '../model/errors.ts';

/** A batch that is refused, with a code of the error table and a sentence for people. */
export interface BatchFault {
  readonly kind: 'fault';
  readonly code: BatchFaultCode;
  readonly reason: string;
}

export type BatchFaultCode = Extract<
  ErrorCode,
  | 'CORRUPT_BATCH'
  | 'INVALID_RECORD'
  | 'INVALID_TIMESTAMP'
  | 'RECORD_TOO_LARGE'
  | 'UNSUPPORTED_COMPRESSION'
>;

export function batchFault(code: BatchFaultCode, reason: string): BatchFault {
  return { kind: 'fault', code, reason };
}
