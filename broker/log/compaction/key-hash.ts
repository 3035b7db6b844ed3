/** The hash by which compaction knows a key: 128 bits of SHA-256, so that nobody can choose two keys alike. */
import { createHash } from 'node:crypto';
import { keyHashBytes } from './core/offset-map.ts';

export function hashKey(key: Uint8Array): Buffer {
  return createHash('sha256').update(key).digest().subarray(0, keyHashBytes);
}
