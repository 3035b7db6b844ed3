/**
 * Bounds the rate at which a leader's node sends what replicas on the move have to catch up on: clients
 * and in-sync followers share its disk and its network. What is appended meanwhile is not held back,
 * so a move ends however fast the partition is written.
 */
import { type MetadataImage, partitionOf } from '../../proto/metadata/image.ts';
import type { NodeId, PartitionNumber, TopicId } from '../../proto/model/ids.ts';
import type { Clock } from '../../proto/ports/clock.ts';

export interface MoveRules {
  /** Over all moves from this node; 0: no limit. */
  readonly bytesPerSecond: number;
  /** True for a replica that a reassignment adds. */
  isAdded(topicId: TopicId, partition: PartitionNumber, follower: NodeId): boolean;
}

/** Additions as the metadata of this node tells them. */
export function moveRules(bytesPerSecond: number, image: () => MetadataImage): MoveRules {
  return {
    bytesPerSecond,
    isAdded: (topicId, partition, follower) =>
      partitionOf(image(), topicId, partition)?.adding.includes(follower) === true,
  };
}

/** How much may be saved up while nothing was sent. */
const burstMs = 100;

export class MovePace {
  readonly #clock: Clock;
  readonly #bytesPerSecond: number;
  /** Everything sent so far is paid for at this time. */
  #paidMs: number;
  readonly #waiting: (() => void)[] = [];
  #isArmed = false;

  constructor(clock: Clock, bytesPerSecond: number) {
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
    this.#paidMs = clock.now();
  }

  /** More may be sent. */
  get isFree(): boolean {
    return this.#clock.now() >= this.#paidMs;
  }

  sent(bytes: number): void {
    if (this.#bytesPerSecond === 0) return;
    const from = Math.max(this.#paidMs, this.#clock.now() - burstMs);
    this.#paidMs = from + (bytes * 1000) / this.#bytesPerSecond;
  }

  /** Calls back, once, when more may be sent; those that wait take turns. */
  whenFree(callback: () => void): void {
    this.#waiting.push(callback);
    this.#arm();
  }

  #arm(): void {
    if (this.#isArmed || this.#waiting.length === 0) return;
    this.#isArmed = true;
    this.#clock.after(Math.max(0, this.#paidMs - this.#clock.now()), () => {
      this.#isArmed = false;
      this.#waiting.shift()?.();
      this.#arm();
    });
  }
}
