/**
 * 64-bit fields as exact numbers. What does not fit 2^53 - 1 is refused, never rounded (row F17).
 */
const twoTo32 = 2 ** 32;
/** The high words of all whole numbers from -(2^53) to 2^53 - 1. */
const highWordMax = 2 ** 21 - 1;
const highWordMin = -(2 ** 21);

/** The signed 64-bit field at a position; undefined if it is not a safe integer. */
export function readInt64(bytes: Buffer, at: number): number | undefined {
  const high = bytes.readInt32BE(at);
  if (high > highWordMax || high < highWordMin) return undefined;
  const value = high * twoTo32 + bytes.readUInt32BE(at + 4);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Writes a safe integer as a signed 64-bit field. */
export function writeInt64(bytes: Buffer, value: number, at: number): void {
  const high = Math.floor(value / twoTo32);
  bytes.writeInt32BE(high, at);
  bytes.writeUInt32BE(value - high * twoTo32, at + 4);
}
