/** Records and batches as they are read. Keys, values and headers are views of the batch's memory. */
import { inspect } from 'node:util';
import { HighwaterError } from '../../proto/model/errors.ts';
import {
  type LeaderEpoch,
  leaderEpoch,
  type Offset,
  offsetAfter,
} from '../../proto/model/offset.ts';
import type { BatchHeader } from '../../proto/wire/batch-header.ts';
import { attributeBits } from '../../proto/wire/batch-layout.ts';
import { openBatch } from '../../proto/wire/open-batch.ts';
import { RecordCursor, type RecordHeader } from '../../proto/wire/record-cursor.ts';

/** One record. Who keeps its key or value keeps the memory of its batch: copy what is kept for long. */
export class ReadRecord {
  readonly topic: string;
  readonly partition: number;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** In their order; a name may occur more than once. */
  readonly headers: readonly RecordHeader[];
  readonly leaderEpoch: number;
  readonly #offset: number;

  constructor(place: { readonly topic: string; readonly partition: number }, cursor: RecordCursor) {
    this.topic = place.topic;
    this.partition = place.partition;
    this.timestamp = cursor.timestamp;
    this.key = cursor.key();
    this.value = cursor.value();
    this.headers = cursor.headers();
    this.leaderEpoch = cursor.header.leaderEpoch;
    this.#offset = cursor.offset;
  }

  get offset(): bigint {
    return BigInt(this.#offset);
  }

  /** The value as UTF-8 text; empty if there is none. */
  text(): string {
    return this.value?.toString() ?? '';
  }

  /** The value of the first header of a name. */
  header(name: string): Buffer | null | undefined {
    return this.headers.find((header) => header.key === name)?.value;
  }

  /** The offset as a text, which JSON can hold whole. */
  toJSON(): Record<string, unknown> {
    return { ...this.#shown(), offset: this.offset.toString() };
  }

  /** What a print of it shows. */
  [inspect.custom](): Record<string, unknown> {
    return this.#shown();
  }

  #shown(): Record<string, unknown> {
    const { topic, partition, offset, leaderEpoch: epoch, timestamp, key, value, headers } = this;
    return { topic, partition, offset, leaderEpoch: epoch, timestamp, key, value, headers };
  }
}

/** Where a batch was read, and which of its records were asked for. */
export interface BatchPlace {
  readonly topic: string;
  readonly partition: number;
  /** Records below are older than what was asked for. */
  readonly from: Offset;
  /** Exclusive. */
  readonly to: Offset | undefined;
}

/** One batch: the unit of bulk reading. */
export class ReadBatch implements Iterable<ReadRecord> {
  readonly topic: string;
  readonly partition: number;
  readonly header: BatchHeader;
  readonly place: BatchPlace;
  readonly #bytes: Buffer;

  constructor(place: BatchPlace, bytes: Buffer, header: BatchHeader) {
    this.topic = place.topic;
    this.partition = place.partition;
    this.header = header;
    this.place = place;
    this.#bytes = bytes;
  }

  get baseOffset(): bigint {
    return BigInt(this.header.baseOffset);
  }

  /** The offset behind the batch. */
  get endOffset(): Offset {
    return offsetAfter(this.header.lastOffset, 1);
  }

  get leaderEpoch(): LeaderEpoch {
    return leaderEpoch(Math.max(0, this.header.leaderEpoch));
  }

  /** Of the last record, inclusive. */
  get lastOffset(): bigint {
    return BigInt(this.header.lastOffset);
  }

  /** Records in the batch, those before the asked offset included. */
  get recordCount(): number {
    return this.header.recordCount;
  }

  get byteLength(): number {
    return this.header.byteLength;
  }

  /** The records that were asked for. */
  *[Symbol.iterator](): IterableIterator<ReadRecord> {
    const cursor = this.cursor();
    for (;;) {
      const record = nextRecord(this.place, cursor);
      if (record === undefined) return;
      yield record;
    }
  }

  /** The records without an object for each. Throws if the batch is damaged. */
  cursor(): RecordCursor {
    const opened = openBatch(this.#bytes, this.header);
    if (opened instanceof RecordCursor) return opened;
    throw new HighwaterError(opened.code, opened.reason, {
      facts: { topic: this.topic, partition: this.partition, offset: this.header.baseOffset },
    });
  }

  /** Markers that the log keeps for itself are not records. */
  get isControl(): boolean {
    return (this.header.attributes & attributeBits.control) !== 0;
  }
}

/** The next record that was asked for. */
export function nextRecord(place: BatchPlace, cursor: RecordCursor): ReadRecord | undefined {
  while (cursor.next()) {
    const { offset } = cursor;
    if (offset < place.from) continue;
    if (place.to !== undefined && offset >= place.to) return undefined;
    return new ReadRecord(place, cursor);
  }
  return undefined;
}
