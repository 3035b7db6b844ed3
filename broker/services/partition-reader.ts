/**
 * One partition of one reader: where it is, what it may see, and what it gets next. Used by the unary
 * fetch once and by a fetch stream until the reader goes away.
 */
import type {
  PartitionBatches,
  PartitionRead,
  ReadLevel,
} from '../../proto/generated/highwater/v1/fetch.ts';
import { type ErrorCode, HighwaterError } from '../../proto/model/errors.ts';
import { type LeaderEpoch, leaderEpoch, type Offset } from '../../proto/model/offset.ts';
import { epochAt } from '../log/core/epoch-history.ts';
import type { LogRead } from '../log/log-reader.ts';
import { decideRead, type Position, type ReadVerdict } from '../replication/core/reading.ts';
import type { PartitionDriver } from '../replication/partition-driver.ts';
import { failureFrom, failureOf } from './failure.ts';
import type { HostedPartitions, HostedTopic } from './hosted.ts';
import type { LeadershipProof } from './leadership-proof.ts';

/** What one attempt to read brought. */
export type ReadStep =
  | {
      readonly kind: 'batches';
      readonly part: PartitionBatches;
      /** Not empty. Who can tell when nothing refers to it any more gives it back. */
      readonly read: LogRead;
    }
  /** Nothing yet; `isBehind`: the replica has not reached what the reader has seen. */
  | { readonly kind: 'wait'; readonly isBehind: boolean }
  /** The bytes come from the disk, or a proof from the controllers: ask again once it resolves. */
  | { readonly kind: 'reading'; readonly done: Promise<void> }
  | { readonly kind: 'failed'; readonly part: PartitionBatches };

/** How fresh a read must be, and who proves it. */
export interface ReadFreshness {
  readonly level: ReadLevel;
  readonly proof: LeadershipProof;
}

export class PartitionReader {
  readonly topic: HostedTopic;
  readonly replica: PartitionDriver;
  readonly #read: PartitionRead;
  readonly #level: ReadLevel;
  #next: Offset;
  /** Epoch of the record before `#next`, where it is known. */
  #epoch: LeaderEpoch | undefined;
  /** The end that was asked for lies inside the next batch. */
  #isAtBound = false;
  #fetched: { readonly read: LogRead } | { readonly error: unknown } | undefined;
  /** For linearizable reads: given once, when reading begins, so that the end is not an old one. */
  readonly #proof: LeadershipProof;
  #isProved = false;

  constructor(
    found: { readonly topic: HostedTopic; readonly replica: PartitionDriver },
    read: PartitionRead,
    { level, proof }: ReadFreshness,
  ) {
    this.#proof = proof;
    this.topic = found.topic;
    this.replica = found.replica;
    this.#read = read;
    this.#level = level;
    this.#next = read.offset;
    this.#epoch = read.offsetEpoch;
  }

  /** True once the bounded read is complete. */
  get isDone(): boolean {
    return this.#read.endOffset !== undefined && this.#next >= this.#read.endOffset;
  }

  /** One attempt, for at most so many bytes (but at least one batch). */
  step(bytesMax: number): ReadStep {
    const refusal = this.#refusal();
    if (refusal !== undefined) return refusal;
    if (this.#level === 'linearizable' && !this.#isProved)
      return { kind: 'reading', done: this.#prove() };
    const position: Position | undefined =
      this.#epoch === undefined ? undefined : { offset: this.#next, epoch: this.#epoch };
    const verdict = decideRead(this.replica.state, {
      offset: this.#next,
      position,
      token: this.#token(),
    });
    switch (verdict.kind) {
      case 'serve':
        return this.#serve(verdict, bytesMax);
      case 'wait':
        return verdict;
      case 'refused':
        return this.failed(verdict.code);
      case 'position-lost':
        return this.failed('POSITION_LOST', { divergedAt: verdict.divergedAt });
    }
  }

  /** An empty part: where the reader stands, and whether that is the end. */
  emptyPart(isCaughtUp: boolean): PartitionBatches {
    return this.#part(0, this.#next, isCaughtUp);
  }

  /** A part that tells why nothing more comes. */
  failed(code: ErrorCode, facts: Readonly<Record<string, string | number>> = {}): ReadStep {
    const { log, watermark } = this.replica;
    const all = {
      ...facts,
      offset: this.#next,
      logStartOffset: log.startOffset,
      highWatermark: watermark,
    };
    return {
      kind: 'failed',
      part: { ...this.emptyPart(false), failure: failureOf(code, { facts: all }) },
    };
  }

  #token(): Position | undefined {
    const { token } = this.#read;
    if (token === undefined || this.#level === 'any') return undefined;
    return { offset: token.offset, epoch: token.leaderEpoch };
  }

  #refusal(): ReadStep | undefined {
    const needsLeader = this.#level === 'leader' || this.#level === 'linearizable';
    if (needsLeader && this.replica.state.role.kind !== 'leader') return this.failed('NOT_LEADER');
    if (this.#fetched === undefined || !('error' in this.#fetched)) return undefined;
    return {
      kind: 'failed',
      part: { ...this.emptyPart(false), failure: failureFrom(this.#fetched.error) },
    };
  }

  async #prove(): Promise<void> {
    try {
      await this.#proof.give(this.replica);
      this.#isProved = true;
    } catch (error) {
      this.#fetched = { error };
    }
  }

  #serve(verdict: Extract<ReadVerdict, { kind: 'serve' }>, bytesMax: number): ReadStep {
    const fetched = this.#fetched;
    this.#fetched = undefined;
    const below = this.#isAtBound ? verdict.upTo : this.#below(verdict.upTo);
    const wanted = this.#read.maxBytes === 0 ? bytesMax : Math.min(bytesMax, this.#read.maxBytes);
    const read =
      (fetched !== undefined && 'read' in fetched ? fetched.read : undefined) ??
      this.replica.log.lend(verdict.from, { bytesMax: wanted, below });
    if (read instanceof Promise) return { kind: 'reading', done: this.#awaitDisk(read) };
    if (read.bytes === 0) {
      if (below >= verdict.upTo) return { kind: 'wait', isBehind: false };
      // The bound lies inside a batch, which may be empty and long: that one is the last.
      this.#isAtBound = true;
      return this.#serve(verdict, 1);
    }
    const { bytes, endOffset: end } = read;
    this.#next = end;
    this.#epoch = epochAt(this.replica.state.log.history, (end - 1) as Offset) ?? this.#epoch;
    const isCaughtUp = end >= verdict.upTo || this.isDone;
    return { kind: 'batches', part: this.#part(bytes, end, isCaughtUp), read };
  }

  #below(upTo: Offset): Offset {
    const end = this.#read.endOffset;
    return end !== undefined && end < upTo ? end : upTo;
  }

  async #awaitDisk(reading: Promise<LogRead>): Promise<void> {
    try {
      this.#fetched = { read: await reading };
    } catch (error) {
      this.#fetched = { error: HighwaterError.from(error) };
    }
  }

  #part(batchBytes: number, next: Offset, caughtUp: boolean): PartitionBatches {
    return {
      topicId: this.topic.topicId,
      partition: this.replica.partition,
      batchBytes,
      highWatermark: this.replica.watermark,
      logStartOffset: this.replica.log.startOffset,
      nextOffset: next,
      nextEpoch: this.#epoch ?? leaderEpoch(0),
      caughtUp,
      tag: this.#read.tag,
    };
  }
}

/** The reader of a partition, or the part that tells why there is none here. */
export function openReader(
  partitions: HostedPartitions,
  read: PartitionRead,
  freshness: ReadFreshness,
): PartitionReader | PartitionBatches {
  const found = partitions.find(read);
  if (found.kind === 'hosted') return new PartitionReader(found, read, freshness);
  const { topicId, partition, offset: at } = read;
  return {
    topicId,
    partition,
    batchBytes: 0,
    highWatermark: 0 as Offset,
    logStartOffset: 0 as Offset,
    nextOffset: at,
    nextEpoch: leaderEpoch(0),
    caughtUp: false,
    failure: found.failure,
    tag: read.tag,
  };
}
