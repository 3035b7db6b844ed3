import { ProducerState } from '../../../../broker/log/core/producer-state.ts';
import { everyRule, type LogRules } from '../../../../broker/log/core/rules.ts';
import type { PartitionQueue } from '../../../../client/producer/core/partition-queue.ts';
import type { QueuedBatch } from '../../../../client/producer/core/queued-batch.ts';
import type { Acks } from '../../../../proto/model/acks.ts';
import { HighwaterError } from '../../../../proto/model/errors.ts';
import { readBatchHeader } from '../../../../proto/wire/batch-header.ts';
import { openBatch } from '../../../../proto/wire/open-batch.ts';
import { RecordCursor } from '../../../../proto/wire/record-cursor.ts';

/** What became of one record, as its sender was told. */
export type Told = 'written' | 'not-written' | 'maybe-written';
export type TestBatch = QueuedBatch<number[]>;

interface Request {
  readonly batch: TestBatch;
  readonly attempt: number;
  readonly bytes: Buffer;
}

/** A partition's leader as far as sequences matter: the broker's own producer state over a list of records. */
export class SequencedLog {
  values: number[] = [];
  readonly #rules: LogRules;
  #producers: ProducerState;
  #batches: Buffer[] = [];

  constructor(rules: LogRules) {
    this.#rules = rules;
    this.#producers = noProducers(rules);
  }

  /** Appends or recognises a batch; throws what the broker would answer. */
  take(bytes: Buffer): void {
    const header = readBatchHeader(bytes, 0);
    if (header.kind !== 'batch') throw new Error(`a whole batch, not ${header.kind}`);
    const verdict = this.#producers.check(header);
    if (verdict.kind === 'refuse')
      throw new HighwaterError(verdict.code, verdict.code, { outcome: 'not-written' });
    if (verdict.kind === 'duplicate') return;
    this.#producers.apply({
      ...header,
      baseOffset: this.values.length,
    });
    this.#batches.push(bytes);
    this.values.push(...valuesOf(bytes));
  }

  /** A failover that loses the last batches. */
  lose(count: number): void {
    const kept = this.#batches.slice(0, Math.max(0, this.#batches.length - count));
    this.values = [];
    this.#batches = [];
    this.#producers = noProducers(this.#rules);
    for (const bytes of kept) this.take(bytes);
  }
}

function noProducers(rules: LogRules): ProducerState {
  return new ProducerState({ expiryMs: Number.MAX_SAFE_INTEGER / 4, producersMax: 100, rules });
}

function valuesOf(bytes: Buffer): number[] {
  const header = readBatchHeader(bytes, 0);
  const cursor = header.kind === 'batch' ? openBatch(bytes, header) : undefined;
  if (!(cursor instanceof RecordCursor)) throw new Error('the records can be read');
  const values: number[] = [];
  while (cursor.next()) values.push(Number(cursor.value()?.toString()));
  return values;
}

/** A queue, a log, and everything that can happen between them. */
export class QueueWorld {
  readonly queue: PartitionQueue<number[]>;
  readonly log: SequencedLog;
  readonly told = new Map<number, Told>();
  readonly deadlineMs: number;
  /** On their way to the leader, in order. */
  requests: Request[] = [];
  /** Left behind on connections that were given up: they may still arrive. */
  stragglers: Request[] = [];
  /** Handled, and the answer is on its way. */
  answers: { readonly request: Request; readonly error: HighwaterError | undefined }[] = [];
  nowMs = 0;
  #nextValue = 0;

  constructor(
    queue: PartitionQueue<number[]>,
    deadlineMs = 1_000_000,
    rules: LogRules = everyRule,
  ) {
    this.queue = queue;
    this.log = new SequencedLog(rules);
    this.deadlineMs = deadlineMs;
    queue.sequence.begin({ producerId: 7, producerEpoch: 0 });
  }

  append(count: number, acks: Acks = 'all', closes = true): void {
    const batch =
      this.queue.openBatch() ??
      this.queue.begin({
        acks,
        waiters: [],
        bytesMax: 10_000,
        bytesExpected: 200,
        memory: undefined,
        deadlineMs: this.nowMs + this.deadlineMs,
        isExclusive: closes,
        expectedOffset: undefined,
      });
    for (let index = 0; index < count; index++) {
      const value = this.#nextValue++;
      batch.builder?.append(this.nowMs, undefined, String(value));
      batch.plan.waiters.push(value);
    }
  }

  pump(): void {
    for (;;) {
      const batch = this.queue.next(this.nowMs);
      if (batch === undefined) return;
      const bytes = Buffer.from(this.queue.send(batch));
      this.requests.push({ batch, attempt: batch.attempts, bytes });
      if (batch.plan.acks === 'none') this.#tell(batch, 'written');
    }
  }

  /** The leader handles the oldest request; its answer may be lost with the connection later. */
  handle(failure?: HighwaterError): void {
    const request = this.requests.shift();
    if (request === undefined) return;
    this.answers.push({ request, error: failure ?? this.#take(request) });
  }

  answer(): void {
    const answer = this.answers.shift();
    if (answer === undefined) return;
    const { batch, attempt } = answer.request;
    if (batch.state !== 'in-flight' || batch.attempts !== attempt) return;
    if (answer.error === undefined) {
      const isTold = batch.isTold;
      const failed = this.queue.written(batch, this.nowMs);
      if (!isTold) this.#tell(batch, 'written');
      this.#fail(failed);
    } else {
      this.#fail(this.queue.refused(batch, answer.error, this.nowMs, 0));
    }
  }

  /** Requests and answers under way are gone; some requests may arrive later all the same. */
  disconnect(straggling: boolean): void {
    const lost = [...this.answers.map((one) => one.request), ...this.requests];
    if (straggling) this.stragglers.push(...this.requests);
    this.answers = [];
    this.requests = [];
    for (const { batch, attempt } of lost) {
      if (batch.state !== 'in-flight' || batch.attempts !== attempt) continue;
      const error = new HighwaterError('CONNECTION_LOST', 'cut', { outcome: 'maybe-written' });
      this.#fail(this.queue.refused(batch, error, this.nowMs, 0));
    }
  }

  straggle(): void {
    const late = this.stragglers.shift();
    if (late !== undefined) this.#take(late);
  }

  expire(ms: number): void {
    this.nowMs += ms;
    this.#fail(this.queue.expire(this.nowMs));
  }

  /** Nothing fails any more: everything left gets its outcome. */
  finish(): void {
    for (let round = 0; round < 1_000 && !this.queue.isEmpty; round++) {
      this.pump();
      while (this.requests.length > 0) this.handle();
      while (this.answers.length > 0) this.answer();
    }
  }

  #take(request: Request): HighwaterError | undefined {
    try {
      this.log.take(request.bytes);
      return undefined;
    } catch (caught) {
      return HighwaterError.from(caught);
    }
  }

  #fail(failed: readonly { readonly batch: TestBatch; readonly error: HighwaterError }[]): void {
    for (const { batch, error } of failed) this.#tell(batch, error.outcome);
  }

  #tell(batch: TestBatch, outcome: Told): void {
    for (const value of batch.plan.waiters) {
      if (this.told.has(value)) throw new Error(`record ${value} is told twice`);
      this.told.set(value, outcome);
    }
  }
}
