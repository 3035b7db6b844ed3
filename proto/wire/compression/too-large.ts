import { type BatchFault, batchFault } from '../batch-fault.ts';

/** The answer to a decompression bomb. */
export function tooLarge(bytesMax: number): BatchFault {
  return batchFault('RECORD_TOO_LARGE', `records decompress to more than ${bytesMax} bytes`);
}
