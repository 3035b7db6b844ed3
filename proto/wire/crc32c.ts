/** CRC-32C (Castagnoli), native. Several GB/s; a call costs about as much as 500 bytes. */
import { crc32c as nativeCrc32c } from '@node-rs/crc32';

/** The checksum of `bytes`, or of what `previous` covers followed by `bytes`. Unsigned 32 bits. */
export function crc32c(bytes: Uint8Array, previous = 0): number {
  return nativeCrc32c(bytes, previous);
}
