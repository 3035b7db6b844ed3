/**
 * One batch on its way from the first record to its outcome.
 *
 * `open` takes records; `ready` waits for its turn; `in-flight` was sent and is not answered;
 * `answered` was refused and waits until its neighbours are answered too, so that order is kept;
 * `over` has its outcome.
 * Invariants: (1) the bytes are made once and are the same in each attempt; only a batch that was
 * certainly never written is given another sequence, in a copy; (2) `mayBeWritten` never goes back.
 */
import type { Acks } from '../../../proto/model/acks.ts';
import type { HighwaterError } from '../../../proto/model/errors.ts';
import { invariant } from '../../../proto/model/invariant.ts';
import type { Offset } from '../../../proto/model/offset.ts';
import { BatchBuilder } from '../../../proto/wire/batch-builder.ts';
import { layout } from '../../../proto/wire/batch-layout.ts';
import type { CompressionCodec } from '../../../proto/wire/compression/codec.ts';
import { crc32c } from '../../../proto/wire/crc32c.ts';
import { writeInt64 } from '../../../proto/wire/int64.ts';

/** What makes a batch of one producer recognisable: a retry carries the same. */
export interface BatchSequence {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
}

/** What is decided when a batch is begun. */
export interface BatchPlan<Waiters> {
  readonly acks: Acks;
  /** Who waits for the outcome; the queue only carries it. */
  readonly waiters: Waiters;
  readonly bytesMax: number;
  readonly bytesExpected: number;
  /** Lent for the life of the batch, if there was any to lend. */
  readonly memory: Buffer | undefined;
  readonly deadlineMs: number;
  /** Takes the records that it is begun with and no others: an atomic or a conditional batch. */
  readonly isExclusive: boolean;
  readonly expectedOffset: Offset | undefined;
}

export type BatchState = 'open' | 'ready' | 'in-flight' | 'answered' | 'over';

const unsequenced: BatchSequence = { producerId: -1, producerEpoch: -1, baseSequence: -1 };

export class QueuedBatch<Waiters> {
  readonly plan: BatchPlan<Waiters>;
  state: BatchState = 'open';
  /** Attempts so far; an answer to an earlier one is ignored. */
  attempts = 0;
  /** Some attempt may have been applied. */
  mayBeWritten = false;
  /** What the last attempt was answered with. */
  failure: HighwaterError | undefined;
  /** Its waiters were told already (the deadline passed); it stays until its neighbours may go on. */
  isTold = false;
  sequence: BatchSequence | undefined;
  /** Its place among all of the producer that have no outcome. */
  number = 0;
  /** Memory that is counted for it against the producer's bound. */
  bytesCounted = 0;
  #builder: BatchBuilder | undefined;
  #bytes: Buffer | undefined;
  #recordCount = 0;

  constructor(plan: BatchPlan<Waiters>) {
    this.plan = plan;
    this.#builder = new BatchBuilder(plan);
  }

  get recordCount(): number {
    return this.#builder?.recordCount ?? this.#recordCount;
  }

  /** Size of the batch as it is, or will be at most. */
  get byteLength(): number {
    return this.#bytes?.length ?? this.#builder?.byteLength ?? 0;
  }

  /** Memory that it holds. */
  get bytesHeld(): number {
    return this.#builder?.bytesHeld ?? this.#bytes?.length ?? 0;
  }

  /** The builder, while records may be added. */
  get builder(): BatchBuilder | undefined {
    return this.state === 'open' ? this.#builder : undefined;
  }

  /** The bytes of an attempt under a sequence; undefined for a producer that is not idempotent. */
  seal(sequence: BatchSequence | undefined, codec: CompressionCodec | undefined): Buffer {
    const before = this.#bytes;
    if (before === undefined) {
      const builder = this.#builder;
      invariant(builder !== undefined, 'a batch without bytes has a builder');
      this.#recordCount = builder.recordCount;
      this.#bytes = builder.seal({
        ...(sequence ?? unsequenced),
        ...(codec === undefined ? {} : { codec }),
      });
      this.#builder = undefined;
    } else if (sequence !== undefined && this.sequence === undefined) {
      this.#bytes = underSequence(before, sequence);
    }
    this.sequence = sequence;
    return this.#bytes ?? Buffer.alloc(0);
  }
}

/** A copy under another sequence: the transport may still hold the bytes of an earlier attempt. */
function underSequence(batch: Buffer, sequence: BatchSequence): Buffer {
  const copy = Buffer.from(batch);
  writeInt64(copy, sequence.producerId, layout.producerId);
  copy.writeInt16BE(sequence.producerEpoch, layout.producerEpoch);
  copy.writeInt32BE(sequence.baseSequence, layout.baseSequence);
  copy.writeUInt32BE(crc32c(copy.subarray(layout.attributes)), layout.crc);
  return copy;
}
