/**
 * Zigzag varints: small magnitudes of either sign take few bytes. A varint is a 32-bit integer in at
 * most 5 bytes, a varlong a 64-bit one in at most 10, of which this product takes the safe integers.
 */
const twoTo28 = 2 ** 28;

/** Bytes that a 32-bit integer takes. */
export function sizeOfVarint(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  if (zigzag < 0x80) return 1;
  if (zigzag < 0x4000) return 2;
  if (zigzag < 0x20_0000) return 3;
  return zigzag < twoTo28 ? 4 : 5;
}

/** Writes a 32-bit integer and returns the position after it. */
export function writeVarint(bytes: Uint8Array, value: number, at: number): number {
  let zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  let position = at;
  while (zigzag >= 0x80) {
    bytes[position++] = (zigzag & 0x7f) | 0x80;
    zigzag >>>= 7;
  }
  bytes[position] = zigzag;
  return position + 1;
}

/** Writes a safe integer and returns the position after it. */
export function writeVarlong(bytes: Uint8Array, value: number, at: number): number {
  if (value === (value | 0)) return writeVarint(bytes, value, at);
  let rest = aboveLowSeven(value);
  let position = at;
  bytes[position++] = lowSeven(value) | 0x80;
  while (rest >= 0x80) {
    bytes[position++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  bytes[position] = rest;
  return position + 1;
}

/** The zigzag form is 2v, or -2v - 1 for a negative v: its half, v or -v - 1, is always safe. */
function halfZigzag(value: number): number {
  return value < 0 ? -(value + 1) : value;
}

/** The lowest seven bits of the zigzag form: six of its half, and the sign. */
function lowSeven(value: number): number {
  return (halfZigzag(value) % 64) * 2 + (value < 0 ? 1 : 0);
}

/** The zigzag form without its lowest seven bits. */
function aboveLowSeven(value: number): number {
  return Math.floor(halfZigzag(value) / 64);
}
