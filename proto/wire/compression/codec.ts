import type { BatchFault } from '../batch-fault.ts';
import type { CompressionId } from '../compression-id.ts';

/** One way to compress the records of a batch. Synchronous: batches are small and bounded. */
export interface CompressionCodec {
  readonly id: CompressionId;
  compress(bytes: Buffer): Buffer;
  /**
   * At most `bytesMax` bytes, or a fault; the bound holds before the memory is spent. Malformed input
   * may throw whatever the library throws: the caller turns it into CORRUPT_BATCH.
   */
  decompress(bytes: Buffer, bytesMax: number): Buffer | BatchFault;
}
