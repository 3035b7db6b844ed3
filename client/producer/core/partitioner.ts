/**
 * Which partition a record goes to. A key always goes to the same one: murmur2 over its bytes, as
 * Kafka's clients do, so that producers of both agree. Records without a key stay with one partition
 * until its batch is full or has left ("sticky"), which makes few large batches instead of many small.
 * They go on to where the leader owes least, so that one that stands still for a moment holds up what
 * it has, and no more.
 */
const seed = 0x9747b28c;
const mixer = 0x5bd1e995;
const shift = 24;

/** Keys up to this many UTF-16 units are encoded into one scratch buffer. */
const scratchUnits = 256;
const scratch = Buffer.alloc(scratchUnits * 3);

/** Kafka's murmur2 of the bytes, as a signed 32-bit number. */
export function murmur2(bytes: Uint8Array, length: number = bytes.length): number {
  let hash = seed ^ length;
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    let word =
      byteAt(bytes, at) |
      (byteAt(bytes, at + 1) << 8) |
      (byteAt(bytes, at + 2) << 16) |
      (byteAt(bytes, at + 3) << 24);
    word = Math.imul(word, mixer);
    word ^= word >>> shift;
    hash = Math.imul(hash, mixer) ^ Math.imul(word, mixer);
  }
  const left = length - at;
  if (left >= 3) hash ^= byteAt(bytes, at + 2) << 16;
  if (left >= 2) hash ^= byteAt(bytes, at + 1) << 8;
  if (left >= 1) hash = Math.imul(hash ^ byteAt(bytes, at), mixer);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, mixer);
  return hash ^ (hash >>> 15);
}

/** The partition of a key among `count`. */
export function partitionOfKey(key: Uint8Array | string, count: number): number {
  return (hashOf(key) & 0x7fff_ffff) % count;
}

function hashOf(key: Uint8Array | string): number {
  if (typeof key !== 'string') return murmur2(key);
  if (key.length > scratchUnits) return murmur2(Buffer.from(key));
  return murmur2(scratch, scratch.write(key));
}

function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}

/** What is known when the next partition is chosen. */
export interface StickyChoice {
  /** Partitions of the topic. */
  readonly count: number;
  /** Any whole number from 0. */
  readonly drawn: () => number;
  /** Bytes that a partition and its leader have not acknowledged. */
  readonly owed: (partition: number) => number;
}

/** Partitions that are compared: enough to pass by one leader of three, few for a topic of thousands. */
const comparedMax = 4;

/** Where records without a key go at present. */
export class StickyPartition {
  #current = -1;

  /** The partition in use; chosen by `drawn` (any whole number from 0) if there is none. */
  pick(count: number, drawn: () => number): number {
    if (this.#current < 0 || this.#current >= count) this.#current = drawn() % count;
    return this.#current;
  }

  /**
   * A batch of this partition was closed: the next record goes elsewhere, to the one that is owed least
   * of a few neighbours in the circle, the first of them drawn.
   */
  moveOn(from: number, { count, drawn, owed }: StickyChoice): void {
    if (from !== this.#current || count < 2) return;
    const others = count - 1;
    const first = drawn() % others;
    let least = Number.POSITIVE_INFINITY;
    for (let at = 0; at < Math.min(comparedMax, others) && least > 0; at++) {
      const candidate = (from + 1 + ((first + at) % others)) % count;
      const bytes = owed(candidate);
      if (bytes >= least) continue;
      least = bytes;
      this.#current = candidate;
    }
  }
}
