/**
 * Prepares buffers for one `writev`. The kernel takes 1024 of them at most (IOV_MAX), and a tiny one
 * costs more as a vector than as a copy, so neighbours below 4 KiB are joined.
 */
const vectorsMax = 1024;
const tinyBytes = 4 * 1024;
const joinedBytes = 64 * 1024;

/** Buffers that can go into one call: all of them or, beyond the limit, the first ones. */
export function gather(buffers: readonly Uint8Array[]): readonly Uint8Array[] {
  if (buffers.length === 1) return buffers;
  const gathered: Uint8Array[] = [];
  let tiny: Uint8Array[] = [];
  let tinyTotal = 0;
  const join = () => {
    const [first] = tiny;
    if (first !== undefined) gathered.push(tiny.length === 1 ? first : Buffer.concat(tiny));
    tiny = [];
    tinyTotal = 0;
  };
  for (const buffer of buffers) {
    // One joined run may still be open, so stop one below the limit.
    if (gathered.length >= vectorsMax - 1) break;
    if (buffer.length >= tinyBytes || tinyTotal + buffer.length > joinedBytes) join();
    if (buffer.length >= tinyBytes) gathered.push(buffer);
    else if (buffer.length > 0) {
      tiny.push(buffer);
      tinyTotal += buffer.length;
    }
  }
  join();
  return gathered;
}
