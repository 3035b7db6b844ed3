/**
 * Idempotence: which batches of which producer the log holds, so that a retry is answered with the
 * offset of its first copy instead of being appended again (rules B6.2 to B6.4).
 *
 * The state is a pure function of the log: every replica that has the same batches has the same
 * state, it is rebuilt by replay, and the leader's check only reads it. Producers are forgotten by
 * the time in the log, never by a local clock, so that replicas agree on it; and, when there are too
 * many, in the order of their last batch. The time in the log is the largest timestamp so far: what a
 * batch itself says may be years old, and its producer is as lively as any.
 *
 * Invariant: per producer the remembered batches are those last appended, oldest first, of one epoch.
 */
import { limits } from '../../../proto/model/limits.ts';
import { everyRule, type LogRules } from './rules.ts';

/** Sequences go from 0 to 2^31 - 1 and begin again at 0. */
const sequenceModulus = 2 ** 31;

/** What of a batch matters for idempotence; `producerId` -1 for a producer without. */
export interface ProducerBatch {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  /** Offsets that the batch spans, less one; its sequences span as many. */
  readonly lastOffsetDelta: number;
  readonly baseOffset: number;
  readonly maxTimestamp: number;
}

/** A batch that the log holds. */
export interface RememberedBatch {
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
}

/** One producer as the log knows it. */
export interface ProducerEntry {
  readonly producerId: number;
  readonly epoch: number;
  /** The time in the log behind its last batch. */
  readonly lastTimestamp: number;
  /** One to `limits.producerBatchesRemembered`, oldest first. */
  readonly batches: readonly RememberedBatch[];
}

/** The whole state at one offset, as plain data for a snapshot. */
export interface ProducerSnapshot {
  /** The state covers exactly the batches below this offset. */
  readonly endOffset: number;
  readonly largestTimestamp: number;
  /** In the order of their last batch, which is the order in which they may be forgotten. */
  readonly entries: readonly ProducerEntry[];
}

/** What the leader does with a batch that a producer sent. */
export type SequenceVerdict =
  | { readonly kind: 'append' }
  | { readonly kind: 'duplicate'; readonly batch: RememberedBatch }
  | {
      readonly kind: 'refuse';
      readonly code:
        | 'OUT_OF_ORDER_SEQUENCE'
        | 'DUPLICATE_SEQUENCE'
        | 'PRODUCER_FENCED'
        | 'UNKNOWN_PRODUCER';
    };

/** Bounds of the state: by log time and by number. */
export interface ProducerStateSettings {
  readonly expiryMs: number;
  readonly producersMax: number;
  readonly rules?: LogRules;
}

const append: SequenceVerdict = { kind: 'append' };

/** Mutable: owned by one partition log; lost in a crash and rebuilt from snapshot and log. */
export class ProducerState {
  readonly #settings: ProducerStateSettings;
  readonly #rules: LogRules;
  readonly #producers = new Map<number, ProducerEntry>();
  #largestTimestamp = -1;

  constructor(settings: ProducerStateSettings, snapshot?: ProducerSnapshot) {
    this.#settings = settings;
    this.#rules = settings.rules ?? everyRule;
    if (snapshot === undefined) return;
    this.#largestTimestamp = snapshot.largestTimestamp;
    for (const entry of snapshot.entries) this.#producers.set(entry.producerId, entry);
  }

  /** How many producers are remembered. */
  get size(): number {
    return this.#producers.size;
  }

  /** Decides about a batch before it is appended. Its own base offset does not matter yet. */
  check(batch: ProducerBatch): SequenceVerdict {
    if (batch.producerId < 0) return append;
    const entry = this.#live(batch.producerId);
    if (entry === undefined) {
      const isFirst = batch.baseSequence === 0 || !this.#rules.knowsProducers;
      return isFirst ? append : refuse('UNKNOWN_PRODUCER');
    }
    const isFenced = batch.producerEpoch < entry.epoch;
    if (isFenced) return this.#rules.fencesProducers ? refuse('PRODUCER_FENCED') : append;
    if (batch.producerEpoch > entry.epoch) {
      return batch.baseSequence === 0 ? append : refuse('OUT_OF_ORDER_SEQUENCE');
    }
    const verdict = checkSequence(entry, batch);
    return verdict.kind === 'refuse' && !this.#rules.refusesGaps ? append : verdict;
  }

  /** Takes note of a batch that the log now holds. Followers and recovery do so without a check. */
  apply(batch: ProducerBatch): void {
    if (batch.maxTimestamp > this.#largestTimestamp) this.#largestTimestamp = batch.maxTimestamp;
    if (batch.producerId < 0) return;
    const before = this.#producers.get(batch.producerId);
    const isSame = before?.epoch === batch.producerEpoch && this.#rules.remembersFive;
    const earlier = isSame ? before.batches : [];
    const added: RememberedBatch = {
      firstSequence: batch.baseSequence,
      lastSequence: sequenceAfter(batch.baseSequence, batch.lastOffsetDelta),
      baseOffset: batch.baseOffset,
      lastOffset: batch.baseOffset + batch.lastOffsetDelta,
    };
    // Removed first, so that the map's order is the order of last batches.
    this.#producers.delete(batch.producerId);
    this.#producers.set(batch.producerId, {
      producerId: batch.producerId,
      epoch: batch.producerEpoch,
      lastTimestamp: this.#largestTimestamp,
      batches: [...earlier.slice(1 - limits.producerBatchesRemembered), added],
    });
    if (this.#producers.size > this.#settings.producersMax) this.#forgetOldest();
  }

  /** The state as plain data; `endOffset` is the log end that it covers. */
  snapshot(endOffset: number): ProducerSnapshot {
    for (const [id] of this.#producers)
      if (this.#live(id) === undefined) this.#producers.delete(id);
    return {
      endOffset,
      largestTimestamp: this.#largestTimestamp,
      entries: [...this.#producers.values()],
    };
  }

  /** The entry of a producer that log time has not expired. */
  #live(producerId: number): ProducerEntry | undefined {
    const entry = this.#producers.get(producerId);
    if (entry === undefined) return undefined;
    const expired = entry.lastTimestamp + this.#settings.expiryMs < this.#largestTimestamp;
    return expired ? undefined : entry;
  }

  #forgetOldest(): void {
    for (const [id] of this.#producers) {
      this.#producers.delete(id);
      return;
    }
  }
}

/** Same producer, same epoch: a copy of a remembered batch, the next one, or neither. */
function checkSequence(entry: ProducerEntry, batch: ProducerBatch): SequenceVerdict {
  const lastSequence = sequenceAfter(batch.baseSequence, batch.lastOffsetDelta);
  const copy = entry.batches.find(
    (known) => known.firstSequence === batch.baseSequence && known.lastSequence === lastSequence,
  );
  if (copy !== undefined) return { kind: 'duplicate', batch: copy };

  const last = entry.batches.at(-1);
  if (last === undefined || batch.baseSequence === sequenceAfter(last.lastSequence, 1)) {
    return append;
  }
  // Half of the circle counts as the past: in flight are at most a few batches.
  const behind = (last.lastSequence - lastSequence + sequenceModulus) % sequenceModulus;
  return refuse(behind < sequenceModulus / 2 ? 'DUPLICATE_SEQUENCE' : 'OUT_OF_ORDER_SEQUENCE');
}

function sequenceAfter(sequence: number, count: number): number {
  return (sequence + count) % sequenceModulus;
}

function refuse(code: Extract<SequenceVerdict, { kind: 'refuse' }>['code']): SequenceVerdict {
  return { kind: 'refuse', code };
}
