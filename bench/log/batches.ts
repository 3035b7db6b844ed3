/** The batches that both contenders append: random payload, made once, stamped in place. */
import { leaderEpoch, offset } from '../../proto/model/offset.ts';
import { batchHeaderBytes, batchPrefixBytes, layout } from '../../proto/wire/batch-layout.ts';
import { stampBatch } from '../../proto/wire/batch-stamp.ts';
import { crc32c } from '../../proto/wire/crc32c.ts';
import { writeInt64 } from '../../proto/wire/int64.ts';
import { randomPayloads } from '../harness/payload.ts';

/** More than the log keeps in memory, so that no buffer is stamped anew while somebody may read it. */
const poolBytes = 160e6;

/** A ring of well-formed batches of one record each. */
export class BatchPool {
  readonly #batches: Buffer[];

  constructor(batchBytes: number) {
    const count = Math.max(4, Math.min(Math.ceil(poolBytes / batchBytes), 40_000));
    this.#batches = randomPayloads(count, batchBytes).map(formed);
  }

  /** The batch for an offset, stamped with it. */
  at(baseOffset: number): Buffer {
    const bytes = this.#slot(baseOffset);
    stampBatch(bytes, 0, { baseOffset: offset(baseOffset), leaderEpoch: leaderEpoch(1) });
    return bytes;
  }

  /** The checksum that the batch of an offset has. Nothing is stamped: the log may still hold the buffer. */
  crcAt(baseOffset: number): number {
    return this.#slot(baseOffset).readUInt32BE(layout.crc);
  }

  #slot(baseOffset: number): Buffer {
    const bytes = this.#batches[baseOffset % this.#batches.length];
    if (bytes === undefined) throw new Error('the pool has batches');
    return bytes;
  }
}

function formed(bytes: Buffer): Buffer {
  bytes.fill(0, 0, batchHeaderBytes);
  bytes.writeInt32BE(bytes.length - batchPrefixBytes, layout.batchLength);
  bytes[layout.magic] = 2;
  writeInt64(bytes, Date.now(), layout.baseTimestamp);
  writeInt64(bytes, Date.now(), layout.maxTimestamp);
  writeInt64(bytes, -1, layout.producerId);
  bytes.writeInt16BE(-1, layout.producerEpoch);
  bytes.writeInt32BE(-1, layout.baseSequence);
  bytes.writeInt32BE(1, layout.recordCount);
  bytes.writeUInt32BE(crc32c(bytes.subarray(layout.attributes)), layout.crc);
  return bytes;
}
