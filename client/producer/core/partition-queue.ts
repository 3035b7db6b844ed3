/**
 * The batches of one partition, from first to last, and what becomes of each.
 *
 * Invariants: (1) batches are sent in the order of their records, and at most `inFlightMax` are
 * unanswered (rule B6.5); (2) once one was refused nothing is sent until all in flight are answered,
 * then they are sent again from the first: order survives every retry; (3) a batch that may have been
 * written is only ever sent again under the same sequence, so it is written once (rule B6.2); where
 * the sequence was lost it fails as maybe written, while those that were certainly not written go on
 * under the next epoch (rule B6.3); (4) a batch fails as not written only if each attempt was.
 */
import { HighwaterError } from '../../../proto/model/errors.ts';
import { limits } from '../../../proto/model/limits.ts';
import type { CompressionCodec } from '../../../proto/wire/compression/codec.ts';
import { ProducerSequence } from './producer-sequence.ts';
import { type BatchPlan, QueuedBatch } from './queued-batch.ts';
import { decideRetry } from './retry.ts';
import { everyProducerRule, type ProducerRules } from './rules.ts';

/** What is to be told to those who wait for a batch. */
export interface BatchFailed<Waiters> {
  readonly batch: QueuedBatch<Waiters>;
  readonly error: HighwaterError;
}

export class PartitionQueue<Waiters> {
  readonly sequence = new ProducerSequence();
  readonly #isIdempotent: boolean;
  readonly #rules: ProducerRules;
  /** Not resolved, in order: what was sent before, then what was not, the last of it perhaps open. */
  #batches: QueuedBatch<Waiters>[] = [];
  #inFlight = 0;
  /** A batch was refused: see invariant 2. */
  #isSettling = false;
  #failures = 0;
  #notBeforeMs = Number.NEGATIVE_INFINITY;

  constructor(isIdempotent: boolean, rules: ProducerRules = everyProducerRule) {
    this.#isIdempotent = isIdempotent;
    this.#rules = rules;
  }

  get isEmpty(): boolean {
    return this.#batches.length === 0;
  }

  get inFlightCount(): number {
    return this.#inFlight;
  }

  /** Refusals in a row, for the pause before the next attempt. */
  get failures(): number {
    return this.#failures;
  }

  /** When the next attempt is allowed, after a refusal. */
  get notBeforeMs(): number {
    return this.#notBeforeMs;
  }

  /** Every batch that is not resolved, oldest first. */
  batches(): readonly QueuedBatch<Waiters>[] {
    return this.#batches;
  }

  /** The batch that takes records, if there is one. */
  openBatch(): QueuedBatch<Waiters> | undefined {
    const last = this.#batches.at(-1);
    return last?.state === 'open' && !last.plan.isExclusive ? last : undefined;
  }

  /** Begins a batch behind all others. */
  begin(plan: BatchPlan<Waiters>): QueuedBatch<Waiters> {
    const before = this.#batches.at(-1);
    if (before?.state === 'open') before.state = 'ready';
    const batch = new QueuedBatch(plan);
    this.#batches.push(batch);
    return batch;
  }

  /** A batch begun in vain: its first record did not fit. */
  dropEmpty(batch: QueuedBatch<Waiters>): void {
    this.#batches = this.#batches.filter((one) => one !== batch);
  }

  /** The next batch that may be sent, or undefined. The caller passes it to `send` at once. */
  next(nowMs: number): QueuedBatch<Waiters> | undefined {
    if (this.#rules.settlesFirst && this.#isSettling) return undefined;
    if (nowMs < this.#notBeforeMs) return undefined;
    const inFlightMax = this.#isIdempotent ? limits.producerInFlightMax : 1;
    if (this.#rules.limitsInFlight && this.#inFlight >= inFlightMax) return undefined;
    const batch = this.#batches[this.#inFlight];
    if (batch === undefined || batch.recordCount === 0) return undefined;
    const needsIdentity = this.#isIdempotent && batch.plan.acks !== 'none';
    if (needsIdentity && this.sequence.identity === undefined) return undefined;
    return batch;
  }

  /**
   * The bytes of an attempt that is made right after. A batch at level `none` is over with it and
   * carries no sequence: it is never sent twice, and a gap would stop what comes behind it.
   */
  send(batch: QueuedBatch<Waiters>, codec?: CompressionCodec): Buffer {
    const isSequenced = this.#isIdempotent && batch.plan.acks !== 'none';
    const sequence = isSequenced
      ? (batch.sequence ?? this.sequence.take(batch.recordCount))
      : undefined;
    const bytes = batch.seal(sequence, codec);
    batch.attempts++;
    if (batch.plan.acks === 'none') {
      this.#remove(batch);
      return bytes;
    }
    batch.state = 'in-flight';
    this.#inFlight++;
    return bytes;
  }

  /** A receipt came: the batch is over. */
  written(batch: QueuedBatch<Waiters>, nowMs: number): readonly BatchFailed<Waiters>[] {
    this.#inFlight--;
    this.#failures = 0;
    this.#remove(batch);
    return this.#settle(nowMs, 0);
  }

  /** An attempt failed. `pauseMs` is how long to wait before the next one. */
  refused(
    batch: QueuedBatch<Waiters>,
    failure: HighwaterError,
    nowMs: number,
    pauseMs: number,
  ): readonly BatchFailed<Waiters>[] {
    this.#inFlight--;
    batch.state = 'answered';
    batch.failure = failure;
    if (failure.mayHaveBeenApplied) batch.mayBeWritten = true;
    if (!this.#isSettling) this.#failures++;
    this.#isSettling = true;
    return this.#settle(nowMs, pauseMs);
  }

  /** There is another leader: what waited for the old one to recover waits no more. */
  leaderChanged(): void {
    this.#notBeforeMs = Number.NEGATIVE_INFINITY;
    this.#failures = 0;
  }

  /** Fails what is past its deadline. What is in flight keeps its place until it is answered. */
  expire(nowMs: number): readonly BatchFailed<Waiters>[] {
    const failed: BatchFailed<Waiters>[] = [];
    for (const batch of [...this.#batches]) {
      if (batch.state === 'over') continue;
      if (batch.plan.deadlineMs > nowMs) break;
      if (!batch.isTold) failed.push({ batch, error: deadlineError(batch) });
      if (batch.state === 'in-flight' || batch.state === 'answered') {
        batch.isTold = true;
        continue;
      }
      const { sequence } = batch;
      this.#remove(batch);
      if (sequence !== undefined && !batch.mayBeWritten) this.#leaveSequence(failed);
    }
    return failed;
  }

  /** Fails everything, since the producer closes. */
  failAll(error: HighwaterError): readonly BatchFailed<Waiters>[] {
    const failed = this.#batches
      .filter((batch) => !batch.isTold)
      .map((batch) => ({ batch, error: withOutcome(error, isUncertain(batch)) }));
    for (const batch of this.#batches) batch.state = 'over';
    this.#batches = [];
    this.#inFlight = 0;
    return failed;
  }

  /** Once everything in flight is answered: who is sent again, who fails (invariants 2 to 4). */
  #settle(nowMs: number, pauseMs: number): readonly BatchFailed<Waiters>[] {
    if (!this.#isSettling || this.#inFlight > 0) return [];
    this.#isSettling = false;
    const failed: BatchFailed<Waiters>[] = [];
    let isFirst = true;
    for (const batch of [...this.#batches]) {
      if (batch.state !== 'answered') continue;
      const { failure } = batch;
      const verdict =
        failure === undefined || batch.isTold
          ? 'fail'
          : decideRetry(failure, { isSequenced: batch.sequence !== undefined, isFirst });
      batch.state = 'ready';
      if (verdict === 'again') {
        // What failed for good says nothing against the next batch: only a retry waits.
        this.#notBeforeMs = nowMs + pauseMs;
        isFirst = false;
        continue;
      }
      if (verdict === 'sequence-lost' && !batch.mayBeWritten) {
        this.#leaveSequence(failed);
        isFirst = false;
        continue;
      }
      this.#remove(batch);
      if (!batch.isTold && failure !== undefined)
        failed.push({ batch, error: withOutcome(failure, batch.mayBeWritten) });
      const isGap = verdict === 'sequence-lost' || !batch.mayBeWritten;
      if (batch.sequence !== undefined && isGap) this.#leaveSequence(failed);
    }
    return failed;
  }

  /** The next batches cannot follow under this sequence. */
  #leaveSequence(failed: BatchFailed<Waiters>[]): void {
    this.sequence.nextEpoch();
    for (const batch of [...this.#batches]) {
      if (batch.sequence === undefined) continue;
      batch.sequence = undefined;
      if (batch.state === 'answered') batch.state = 'ready';
      // Whose deadline has passed was told that it is not written: it does not go on either.
      const isOver = batch.isTold && batch.state === 'ready';
      const isUncertain = batch.mayBeWritten && this.#rules.failsUncertain;
      if (!isUncertain && !isOver) continue;
      this.#remove(batch);
      if (!batch.isTold) failed.push({ batch, error: sequenceLostError(batch) });
    }
  }

  #remove(batch: QueuedBatch<Waiters>): void {
    batch.state = 'over';
    if (this.#batches[0] === batch) this.#batches.shift();
    else this.#batches = this.#batches.filter((one) => one !== batch);
  }
}

function isUncertain(batch: QueuedBatch<unknown>): boolean {
  return batch.mayBeWritten || batch.state === 'in-flight';
}

function withOutcome(error: HighwaterError, mayBeWritten: boolean): HighwaterError {
  const outcome = mayBeWritten ? 'maybe-written' : 'not-written';
  if (error.outcome === outcome) return error;
  const { code, message, facts, cause } = error;
  return new HighwaterError(code, message, { facts, cause, outcome });
}

function deadlineError(batch: QueuedBatch<unknown>): HighwaterError {
  const last = batch.failure;
  return new HighwaterError(
    'DEADLINE_EXCEEDED',
    `not delivered in time after ${batch.attempts} attempts${last === undefined ? '' : `; the last one: ${last.message}`}`,
    {
      outcome: isUncertain(batch) ? 'maybe-written' : 'not-written',
      facts: { attempts: batch.attempts, ...(last === undefined ? {} : { lastCode: last.code }) },
      ...(last === undefined ? {} : { cause: last }),
    },
  );
}

function sequenceLostError(batch: QueuedBatch<unknown>): HighwaterError {
  const known =
    batch.failure ?? new HighwaterError('LEADERSHIP_LOST', 'records before it were lost');
  return withOutcome(known, true);
}
