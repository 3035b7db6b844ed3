/** One partition that this member holds: where it is read, what was handled, what is committed. */
import { partitionNumber, type TopicId } from '../../proto/model/ids.ts';
import type { Offset } from '../../proto/model/offset.ts';
import type { TopicView } from '../metadata/cluster-view.ts';
import type { PartitionCursor } from '../reader/partition-cursor.ts';
import type { StartPlace } from '../reader/start-offsets.ts';
import type { TopicPartition } from './consumer-options.ts';
import { type HandledUpTo, OffsetTracker } from './core/offset-tracker.ts';

export class OwnedPartition {
  readonly key: string;
  readonly topic: TopicView;
  readonly partition: number;
  /** The generation in which it was given. */
  readonly given: number;
  /** Undefined while it is not read: paused, or given up by the reads. */
  cursor: PartitionCursor | undefined;
  tracker = new OffsetTracker();
  /** The next record to hand out. */
  next: StartPlace;
  /** The first record of this holding, or since the last seek: earlier records are not committed. */
  from: Offset;
  /** Where `next` stood when it went back last: what lies below was handed out all the same. */
  #reachedBefore: Offset;
  /** What the coordinator has, as far as this member knows. */
  committed: Offset | undefined;
  /** Another one after each seek: a commit of an earlier course says nothing of what this one has committed. */
  course = Symbol('course');
  isPaused = false;
  /** Nothing more is handed out: it is on its way to another member, or lost. */
  isClosed = false;
  /** When the record was handed out whose handler was reported as slow last. */
  reportedMs: number | undefined;
  readonly #idle: (() => void)[] = [];

  constructor(topic: TopicView, partition: number, given: number, start: StartPlace) {
    this.key = partitionKeyOf(topic.topicId, partition);
    this.topic = topic;
    this.partition = partition;
    this.given = given;
    this.next = start;
    this.from = start.offset;
    this.#reachedBefore = start.offset;
  }

  get place(): TopicPartition {
    return { topic: this.topic.name, partition: this.partition };
  }

  /** True of an end within what was handed out in this course, also if that is to be handed out again. */
  hasReached(end: Offset): boolean {
    return end >= this.from && end <= Math.max(this.next.offset, this.#reachedBefore);
  }

  /** A cursor that begins at the next record to hand out. */
  openCursor(nowMs: number, drawn: number): PartitionCursor {
    this.cursor = {
      topic: this.topic,
      partition: partitionNumber(this.partition),
      to: undefined,
      next: this.next.offset,
      epoch: this.next.epoch,
      connection: undefined,
      isHeard: false,
      startedMs: nowMs,
      failures: 0,
      failingSinceMs: undefined,
      avoided: new Map(),
      drawn,
      isCaughtUp: false,
      isDone: false,
    };
    return this.cursor;
  }

  /** Goes on elsewhere: what is under way is forgotten, and commits begin anew. */
  moveTo(start: StartPlace): void {
    this.committed = undefined;
    this.course = Symbol('course');
    this.from = start.offset;
    this.#reachedBefore = start.offset;
    this.#goOnAt(start, new OffsetTracker());
  }

  /** Hands out again from here on, since nobody handled it. What is handled before it stays handled. */
  goBackTo(start: StartPlace): void {
    if (this.next.offset > this.#reachedBefore) this.#reachedBefore = this.next.offset;
    this.#goOnAt(start, OffsetTracker.behind(this.tracker.handled));
  }

  /** Goes on behind what the user says is handled: none of it is handed out again. */
  goOnBehind(upTo: HandledUpTo): void {
    const start = { offset: upTo.offset, epoch: upTo.leaderEpoch };
    this.#goOnAt(start, OffsetTracker.behind(upTo));
  }

  /** A record of this holding is handled. */
  finish(tracker: OffsetTracker, offset: Offset): void {
    tracker.finish(offset);
    if (this.tracker.inFlight === 0) this.#release();
  }

  /** A record of this holding will not be handled here. */
  abandon(tracker: OffsetTracker, offset: Offset): void {
    tracker.abandon(offset);
    if (this.tracker.inFlight === 0) this.#release();
  }

  /** Resolves once no record of it is being handled. */
  idle(): Promise<void> {
    if (this.tracker.inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #goOnAt(start: StartPlace, tracker: OffsetTracker): void {
    this.next = start;
    this.tracker = tracker;
    this.#release();
  }

  #release(): void {
    if (this.#idle.length === 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}

/** The name of a partition in this client. */
export function partitionKeyOf(topicId: TopicId, partition: number): string {
  return `${topicId}/${partition}`;
}
