/**
 * What an acknowledgement says, of a batch and of each of its records. A record's receipt is two words
 * beside the batch's; its numbers are made when they are asked for.
 */
import { inspect } from 'node:util';
import type { Receipt as WireReceipt } from '../../proto/generated/highwater/v1/produce.ts';
import type { Acks } from '../../proto/model/acks.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import type { PartitionNumber, TopicId } from '../../proto/model/ids.ts';
import { type LeaderEpoch, type Offset, offset } from '../../proto/model/offset.ts';
import { Session } from '../session/session.ts';
import type { StoredLevel, StoredLimits, WantedLevel, WrittenPlace } from './stored-level.ts';

/** The facts of one acknowledged batch. */
export interface BatchReceipt {
  readonly topicId: TopicId;
  readonly topic: string;
  readonly partition: PartitionNumber;
  readonly acks: Acks;
  readonly recordCount: number;
  /** Absent at level `none`: nobody has answered. */
  readonly answer: WireReceipt | undefined;
  /** Asks how far a place has been stored since. */
  readonly storedLevel: (
    place: WrittenPlace,
    wanted: WantedLevel,
    limits?: StoredLimits,
  ) => Promise<StoredLevel>;
}

/** The proof of one write. */
export class Receipt {
  readonly #batch: BatchReceipt;
  readonly #index: number;

  constructor(batch: BatchReceipt, index: number) {
    this.#batch = batch;
    this.#index = index;
  }

  get topic(): string {
    return this.#batch.topic;
  }

  /** Which topic of that name: one that is deleted and made again is another. */
  get topicId(): string {
    return this.#batch.topicId;
  }

  get partition(): number {
    return this.#batch.partition;
  }

  /** The level that was asked for. */
  get acks(): Acks {
    return this.#batch.acks;
  }

  /** False at level `none`: the record was sent, and nothing more is known. */
  get isAcknowledged(): boolean {
    return this.#batch.answer !== undefined;
  }

  /** The record's offset; -1n at level `none`. */
  get offset(): bigint {
    const { answer } = this.#batch;
    return answer === undefined ? -1n : BigInt(answer.baseOffset + this.#index);
  }

  /** -1 at level `none`. */
  get leaderEpoch(): number {
    return this.#batch.answer?.leaderEpoch ?? -1;
  }

  /** Nodes that had stored it when it was acknowledged. */
  get storedBy(): readonly number[] {
    return this.#batch.answer?.storedBy ?? [];
  }

  /** Size of the committed in-sync set at that moment. */
  get isrSize(): number {
    return this.#batch.answer?.isrSize ?? 0;
  }

  /** `semi-sync` was asked for and the topic let it pass as `leader`. */
  get isDegraded(): boolean {
    return this.#batch.answer?.degraded ?? false;
  }

  /** A retry met what an earlier attempt had stored. */
  get isDuplicate(): boolean {
    return this.#batch.answer?.duplicate ?? false;
  }

  /** A session token of this write alone: who reads with it sees the record, on any replica. */
  get sessionToken(): string {
    const session = new Session();
    const { topicId, partition } = this.#batch;
    const position = positionAfter(this.#batch, this.#index);
    if (position !== undefined) session.advance(topicId, partition, position);
    return session.token();
  }

  /**
   * Certainty in stages: resolves once this record has reached a stronger level than the one that it
   * was acknowledged at. Rejects with ACK_TIMEOUT if that takes too long, and with LEADERSHIP_LOST if
   * the record may have been lost with its leader.
   */
  async reached(acks: Acks, limits?: StoredLimits): Promise<StoredLevel> {
    const position = positionAfter(this.#batch, this.#index);
    if (position === undefined)
      throw new HighwaterError('INVALID_REQUEST', 'nothing is known of a record sent at none');
    const { topicId, partition, storedLevel } = this.#batch;
    const found = await storedLevel({ topicId, partition, ...position }, { acks }, limits);
    if (found.isReached) return found;
    throw new HighwaterError('ACK_TIMEOUT', `the record has not reached ${acks} in time`, {
      facts: { storedBy: found.storedBy.join(','), isrSize: found.isrSize },
    });
  }

  /** The offset as a text, which JSON can hold whole. */
  toJSON(): Record<string, unknown> {
    return { ...this[inspect.custom](), offset: this.offset.toString() };
  }

  /** What a print of it shows. */
  [inspect.custom](): Record<string, unknown> {
    return {
      topic: this.topic,
      partition: this.partition,
      offset: this.offset,
      leaderEpoch: this.leaderEpoch,
      acks: this.acks,
      storedBy: this.storedBy,
      isrSize: this.isrSize,
      isDegraded: this.isDegraded,
      isDuplicate: this.isDuplicate,
    };
  }
}

/** The place behind a record of an acknowledged batch. */
export function positionAfter(
  batch: BatchReceipt,
  index: number,
): { readonly offset: Offset; readonly leaderEpoch: LeaderEpoch } | undefined {
  const { answer } = batch;
  if (answer === undefined) return undefined;
  return { offset: offset(answer.baseOffset + index + 1), leaderEpoch: answer.leaderEpoch };
}
