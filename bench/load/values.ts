/**
 * The payload: a ring of random values. The first bytes of a value are left for the time at which it was
 * to be sent; the checksum covers the rest. What a replica holds is compared by the number of its records
 * and the sum of their checksums, which needs no order between partitions.
 */
import { crc32c } from '../../proto/wire/crc32c.ts';
import { randomPayloads } from '../harness/payload.ts';

/** Room for the intended time of the send. */
const timeBytes = 8;
/** A prime, so that no period of batches or partitions meets that of the ring. */
const ringSize = 9_973;

/** A number of records and the sum of the checksums of their values. */
export interface Tally {
  readonly records: number;
  readonly sum: number;
}

export class ValueRing {
  readonly #values: readonly Buffer[];
  readonly #sums: readonly number[];

  constructor(valueBytes: number) {
    this.#values = randomPayloads(ringSize, valueBytes);
    this.#sums = this.#values.map(checksumOf);
  }

  at(index: number): Buffer {
    const value = this.#values[index % ringSize];
    if (value === undefined) throw new Error('the ring has values');
    return value;
  }

  /** A copy of the value with a time in it. */
  timed(index: number, intendedMs: number): Buffer {
    const from = this.at(index);
    const value = Buffer.allocUnsafe(from.length);
    value.writeDoubleLE(intendedMs, 0);
    from.copy(value, timeBytes, timeBytes);
    return value;
  }

  /** What the first `count` values add up to. */
  tally(count: number): Tally {
    const whole = Math.floor(count / ringSize);
    let sum = 0;
    this.#sums.forEach((checksum, index) => {
      sum += checksum * (whole + (index < count % ringSize ? 1 : 0));
    });
    return { records: count, sum };
  }
}

/** 24 bits of the checksum of a value without its time: the sum of 2^29 of them is exact. */
export function checksumOf(value: Buffer): number {
  return crc32c(value.subarray(timeBytes)) >>> 8;
}
