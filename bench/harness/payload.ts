import { randomFillSync } from 'node:crypto';

/** `count` buffers of random bytes: payload that no layer can make smaller. */
export function randomPayloads(count: number, bytes: number): Buffer[] {
  const slab = randomFillSync(Buffer.allocUnsafeSlow(count * bytes));
  return Array.from({ length: count }, (_, index) =>
    slab.subarray(index * bytes, (index + 1) * bytes),
  );
}
