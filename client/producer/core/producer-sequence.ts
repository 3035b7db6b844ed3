/**
 * The sequence of one producer on one partition. Sequences count records and begin at 0 in each epoch
 * (rule B6.2). A lost sequence is left behind by a greater epoch: the broker then refuses whatever of
 * the old one is still under way, so that it cannot appear behind what is sent later.
 */
import type { BatchSequence } from './queued-batch.ts';

/** Given out by the cluster. */
export interface ProducerIdentity {
  readonly producerId: number;
  readonly producerEpoch: number;
}

const sequenceModulus = 2 ** 31;
/** It travels as 16 bits. */
const epochMax = 2 ** 15 - 1;

export class ProducerSequence {
  #identity: ProducerIdentity | undefined;
  #next = 0;

  /** Undefined while an id is wanted: at first, and when the epochs of the last one are used up. */
  get identity(): ProducerIdentity | undefined {
    return this.#identity;
  }

  /** Takes an id that no other producer has; sequences begin at 0. */
  begin(identity: ProducerIdentity): void {
    this.#identity = identity;
    this.#next = 0;
  }

  /** The sequence of the next batch. Asked only while there is an identity. */
  take(recordCount: number): BatchSequence | undefined {
    if (this.#identity === undefined) return undefined;
    const baseSequence = this.#next;
    this.#next = (baseSequence + recordCount) % sequenceModulus;
    return { ...this.#identity, baseSequence };
  }

  /** Goes on under the next epoch, or waits for another id. */
  nextEpoch(): void {
    const before = this.#identity;
    this.#next = 0;
    if (before === undefined) return;
    this.#identity =
      before.producerEpoch >= epochMax
        ? undefined
        : { producerId: before.producerId, producerEpoch: before.producerEpoch + 1 };
  }
}
