/**
 * Builds one batch: every record's bytes are copied once, into the place they keep. No object is
 * kept for a record, and a record that does not fit leaves the batch as it was.
 *
 * Invariants: (1) `bytes[0..at)` is a whole batch but for its head; (2) at <= bytesMax after every
 * append; (3) offset deltas are 0, 1, 2, …
 */
import { invariant } from '../model/invariant.ts';
import { batchHeaderBytes, batchMagic, batchPrefixBytes, layout } from './batch-layout.ts';
import type { CompressionCodec } from './compression/codec.ts';
import { crc32c } from './crc32c.ts';
import { writeInt64 } from './int64.ts';
import { type RecordBytes, type RecordHeaders, RecordWriter } from './record-writer.ts';

/** Sizes of a batch under construction. */
export interface BatchBuilderOptions {
  /** Largest batch, uncompressed. */
  readonly bytesMax: number;
  /** What to allocate at first: the expected size. It doubles as needed. */
  readonly bytesExpected?: number;
  /** To begin with, instead of allocating; larger than the head of a batch. */
  readonly memory?: Buffer | undefined;
}

/** What is known only when the batch is sent. */
export interface BatchSeal {
  /** -1 for a producer that is not idempotent, and then -1 for the other two. */
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  /** Used if it makes the batch smaller. */
  readonly codec?: CompressionCodec;
}

/** The seal of a producer that is not idempotent. */
export const unsequenced: BatchSeal = { producerId: -1, producerEpoch: -1, baseSequence: -1 };

const bytesExpectedDefault = 16 * 1024;
/** Attributes, two deltas and the header count of an ordinary record. */
const deltaBytesExpected = 6;

export class BatchBuilder {
  private readonly writer: RecordWriter;
  private readonly bytesMax: number;
  private count = 0;
  private baseTimestamp = -1;
  private maxTimestamp = -1;
  private isSealed = false;

  constructor(options: BatchBuilderOptions) {
    this.bytesMax = options.bytesMax;
    this.writer = new RecordWriter(options.memory ?? memoryFor(options), batchHeaderBytes);
  }

  /** Records so far. */
  get recordCount(): number {
    return this.count;
  }

  /** Bytes of the batch so far, uncompressed. */
  get byteLength(): number {
    return this.writer.at;
  }

  /** Bytes of memory that the batch holds, for budgets. */
  get bytesHeld(): number {
    return this.writer.bytes.length;
  }

  /**
   * Appends a record; false if it does not fit, and then nothing has changed. One that does not fit
   * an empty batch is too large for the topic. `timestamp`: milliseconds, a safe integer from 0.
   */
  append(
    timestamp: number,
    key: RecordBytes,
    value: RecordBytes,
    headers?: RecordHeaders,
  ): boolean {
    invariant(!this.isSealed, 'a sealed batch takes no more records');
    invariant(Number.isSafeInteger(timestamp) && timestamp >= 0, 'a timestamp is a whole number');
    const start = this.writer.at;
    const least = leastBytes(key) + leastBytes(value);
    if (start + least > this.bytesMax) return false;
    const base = this.count === 0 ? timestamp : this.baseTimestamp;
    this.writer.begin(timestamp - base, this.count, least + deltaBytesExpected);
    this.writer.field(key);
    this.writer.field(value);
    this.writer.headers(headers);
    this.writer.finish();
    if (this.writer.at > this.bytesMax) {
      this.writer.at = start;
      return false;
    }
    this.baseTimestamp = base;
    if (timestamp > this.maxTimestamp) this.maxTimestamp = timestamp;
    this.count++;
    return true;
  }

  /** The whole batch, with base offset 0 and leader epoch -1. Ends the builder. */
  seal(seal: BatchSeal = unsequenced): Buffer {
    invariant(this.count > 0 && !this.isSealed, 'a batch is sealed once and is not empty');
    this.isSealed = true;
    const plain = this.writer.bytes.subarray(0, this.writer.at);
    const packed = seal.codec?.compress(plain.subarray(batchHeaderBytes));
    if (
      seal.codec === undefined ||
      packed === undefined ||
      packed.length >= plain.length - batchHeaderBytes
    ) {
      return this.writeHeader(plain, 0, seal);
    }
    const batch = Buffer.allocUnsafe(batchHeaderBytes + packed.length);
    batch.set(packed, batchHeaderBytes);
    return this.writeHeader(batch, seal.codec.id, seal);
  }

  private writeHeader(batch: Buffer, attributes: number, seal: BatchSeal): Buffer {
    writeInt64(batch, 0, layout.baseOffset);
    batch.writeInt32BE(batch.length - batchPrefixBytes, layout.batchLength);
    batch.writeInt32BE(-1, layout.leaderEpoch);
    batch[layout.magic] = batchMagic;
    batch.writeInt16BE(attributes, layout.attributes);
    batch.writeInt32BE(this.count - 1, layout.lastOffsetDelta);
    writeInt64(batch, this.baseTimestamp, layout.baseTimestamp);
    writeInt64(batch, this.maxTimestamp, layout.maxTimestamp);
    writeInt64(batch, seal.producerId, layout.producerId);
    batch.writeInt16BE(seal.producerEpoch, layout.producerEpoch);
    batch.writeInt32BE(seal.baseSequence, layout.baseSequence);
    batch.writeInt32BE(this.count, layout.recordCount);
    batch.writeUInt32BE(crc32c(batch.subarray(layout.attributes)), layout.crc);
    return batch;
  }
}

function memoryFor({
  bytesExpected = bytesExpectedDefault,
  bytesMax,
}: BatchBuilderOptions): Buffer {
  return Buffer.allocUnsafeSlow(Math.max(batchHeaderBytes, Math.min(bytesExpected, bytesMax)));
}

/** A lower bound, so that a hopeless record is refused before any of it is copied. */
function leastBytes(source: RecordBytes): number {
  return source === null || source === undefined ? 1 : source.length + 1;
}
