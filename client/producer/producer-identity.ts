/** The producer id of one producer: asked for once, before the first write that needs it. */
import { produceService } from '../../proto/generated/highwater/v1/produce.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import type { AdminCalls } from '../admin/admin-calls.ts';
import type { ProducerIdentity } from './core/producer-sequence.ts';
import type { PartitionProducer } from './partition-producer.ts';

export class ProducerIdentities {
  readonly #calls: AdminCalls;
  readonly #onRefused: (error: HighwaterError) => void;
  readonly #stop = new AbortController();
  readonly #waiting = new Set<PartitionProducer>();
  /** Partitions whose epochs of the present id are used up must not get it again. */
  readonly #usedUp = new WeakSet<PartitionProducer>();
  #identity: ProducerIdentity | undefined;
  #isAsking = false;

  /** `onRefused` is called when the cluster gives out no ids: nothing that waits can be sent. */
  constructor(calls: AdminCalls, onRefused: (error: HighwaterError) => void) {
    this.#calls = calls;
    this.#onRefused = onRefused;
  }

  /** Gives the partition an id, at once or when there is one. */
  provide(partition: PartitionProducer): void {
    if (this.#identity !== undefined && !this.#usedUp.has(partition)) {
      this.#give(partition, this.#identity);
      return;
    }
    this.#waiting.add(partition);
    if (!this.#isAsking) void this.#ask();
  }

  close(): void {
    this.#stop.abort();
    this.#waiting.clear();
  }

  async #ask(): Promise<void> {
    this.#isAsking = true;
    try {
      const { producerId, producerEpoch } = await this.#calls.call(
        produceService.initProducer,
        {},
        { signal: this.#stop.signal },
      );
      this.#identity = { producerId, producerEpoch };
      for (const partition of this.#waiting) this.#give(partition, this.#identity);
      this.#waiting.clear();
    } catch (caught) {
      const error = HighwaterError.from(caught);
      if (this.#stop.signal.aborted) return;
      // Time alone ran out: what waits asks again, until its own deadline.
      if (error.retriable) {
        const waiting = [...this.#waiting];
        this.#waiting.clear();
        this.#isAsking = false;
        for (const partition of waiting) if (!partition.queue.isEmpty) this.provide(partition);
        return;
      }
      this.#onRefused(
        new HighwaterError(error.code, `the cluster gives out no producer id: ${error.message}`, {
          cause: error,
          outcome: 'not-written',
          facts: { ...error.facts, hint: 'idempotent: false sends without one' },
        }),
      );
    } finally {
      this.#isAsking = false;
    }
  }

  #give(partition: PartitionProducer, identity: ProducerIdentity): void {
    this.#usedUp.add(partition);
    partition.queue.sequence.begin(identity);
    partition.wake();
  }
}
