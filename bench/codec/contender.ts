/** The three codecs behind one shape, each on its own fastest path. */

/** The contents of one record, the same for all. Made by the parent, so that all get the same bytes. */
export interface SampleRecord {
  readonly timestamp: number;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly headerKey: string;
  readonly headerValue: Uint8Array;
}

/** `ours-without-crc` reads as the peers do, without looking at the checksum. */
export const contenderNames = ['ours', 'kafkajs', 'platformatic', 'ours-without-crc'] as const;
export type ContenderName = (typeof contenderNames)[number];

export interface CodecContender {
  /** Turns the records into the form that the encoder takes; not timed. */
  prepare(records: readonly SampleRecord[]): void;
  /** One whole batch of the prepared records, in one buffer, checksum written. */
  encode(): Buffer | Promise<Buffer>;
  /** Reads every key, value, header and timestamp and returns the checksum of them. */
  decode(batch: Buffer): number | Promise<number>;
}

/** Adds what was read: lengths, first and last bytes, and the time. Exact, whatever the order. */
export function readingSum(timestamp: number, key: Buffer | null, value: Buffer | null): number {
  return timestamp + bytesSum(key) + bytesSum(value);
}

/** Touches the first and the last byte. */
export function bytesSum(bytes: Buffer | null): number {
  if (bytes === null || bytes.length === 0) return 1;
  return bytes.length + (bytes[0] as number) * 3 + (bytes[bytes.length - 1] as number) * 7;
}
