import { gunzipSync, gzipSync } from 'node:zlib';
import type { BatchFault } from '../batch-fault.ts';
import type { CompressionCodec } from './codec.ts';
import { tooLarge } from './too-large.ts';

/** gzip, from Node itself. */
export const gzipCodec: CompressionCodec = {
  id: 1,
  compress: (bytes) => gzipSync(bytes),
  decompress: (bytes, bytesMax) =>
    boundedBy(bytesMax, () => gunzipSync(bytes, { maxOutputLength: bytesMax })),
};

/** Node's zlib stops at `maxOutputLength` with this code, before it allocates more. */
export function boundedBy(bytesMax: number, run: () => Buffer): Buffer | BatchFault {
  try {
    return run();
  } catch (caught) {
    if (
      caught instanceof RangeError &&
      'code' in caught &&
      caught.code === 'ERR_BUFFER_TOO_LARGE'
    ) {
      return tooLarge(bytesMax);
    }
    throw caught;
  }
}
