/**
 * Commits of one member: what comes while one is under way goes together with the next. A commit is told
 * as done when the coordinator has it in every in-sync replica, and refused when the partition has been
 * given to somebody else (rule B6.7). Offsets of a partition never go back, unless the user seeks.
 *
 * Invariant: a commit is sent under a generation of the session in which its partition was held. So the
 * coordinator refuses one that comes after somebody else has held the partition.
 */
import { groupService, type OffsetCommit } from '../../proto/generated/highwater/v1/group.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import { partitionNumber } from '../../proto/model/ids.ts';
import { errorOfFailure } from '../connection/failure.ts';
import type { HandledUpTo } from './core/offset-tracker.ts';
import type { GroupLine } from './group-line.ts';
import type { OwnedPartition } from './owned-partition.ts';

interface Pending {
  readonly owned: OwnedPartition;
  /** Of the partition when the commit was asked for. */
  readonly course: symbol;
  upTo: HandledUpTo;
  readonly waiters: { resolve(): void; reject(error: HighwaterError): void }[];
}

/** A commit is tried again over changes of the coordinator for so long. */
const commitMsMax = 30_000;

export class OffsetCommitter {
  readonly #line: GroupLine;
  readonly #identity: () => {
    readonly group: string;
    readonly member: string;
    readonly generation: number;
  };
  /** By course: what was asked for before a seek leaves before what was asked for after it. */
  #pending = new Map<symbol, Pending>();
  #sending: readonly Pending[] = [];
  #isRunning = false;
  #turn: Promise<void> = Promise.resolve();

  constructor(
    line: GroupLine,
    identity: () => {
      readonly group: string;
      readonly member: string;
      readonly generation: number;
    },
  ) {
    this.#line = line;
    this.#identity = identity;
  }

  /** Commits that everything below is handled. */
  commit(owned: OwnedPartition, upTo: HandledUpTo): Promise<void> {
    const { course } = owned;
    const known = this.#pending.get(course);
    if (known === undefined && owned.committed !== undefined && upTo.offset <= owned.committed)
      return Promise.resolve();
    return new Promise((resolve, reject) => {
      const pending = known ?? { owned, course, upTo, waiters: [] };
      if (upTo.offset > pending.upTo.offset) pending.upTo = upTo;
      pending.waiters.push({ resolve, reject });
      this.#pending.set(course, pending);
      if (!this.#isRunning) void this.#run();
    });
  }

  /** Resolves once no commit of the partition is under way, of this holding of it or of an earlier one. */
  async settled(key: string): Promise<void> {
    const isUnderWay = (): boolean =>
      [...this.#pending.values(), ...this.#sending].some(({ owned }) => owned.key === key);
    while (isUnderWay()) {
      await Promise.resolve();
      await this.#turn;
    }
  }

  /** The session is over: what has not been sent is refused. What has been is still tried to its end. */
  endSession(): void {
    const waiting = [...this.#pending.values()];
    this.#pending = new Map();
    for (const one of waiting)
      fail(one, new HighwaterError('STALE_GENERATION', 'the session of this member is over'));
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    // What the same turn asks for goes together.
    await Promise.resolve();
    while (this.#pending.size > 0) {
      const batch = [...this.#pending.values()];
      this.#pending = new Map();
      this.#sending = batch;
      this.#turn = this.#send(batch);
      await this.#turn;
      this.#sending = [];
    }
    this.#isRunning = false;
  }

  async #send(batch: readonly Pending[]): Promise<void> {
    try {
      const offsets = batch.map(
        ({ owned, upTo }): OffsetCommit => ({
          topicId: owned.topic.topicId,
          topic: '',
          partition: partitionNumber(owned.partition),
          position: upTo,
          note: '',
        }),
      );
      const { results } = await this.#line.call(
        groupService.commitOffsets,
        { ...this.#identity(), offsets },
        commitMsMax,
      );
      batch.forEach((pending, index) => {
        const failure = results[index]?.failure;
        if (failure === undefined) done(pending);
        else fail(pending, errorOfFailure(failure));
      });
    } catch (caught) {
      const error = HighwaterError.from(caught);
      for (const pending of batch) fail(pending, error);
    }
  }
}

function done({ owned, course, upTo, waiters }: Pending): void {
  const isFurther = owned.committed === undefined || upTo.offset > owned.committed;
  if (owned.course === course && isFurther) owned.committed = upTo.offset;
  for (const waiter of waiters) waiter.resolve();
}

function fail({ owned, waiters }: Pending, error: HighwaterError): void {
  const { topic, partition } = owned.place;
  const told = new HighwaterError(error.code, `commit of ${topic}/${partition}: ${error.message}`, {
    cause: error,
    facts: { ...error.facts, topic, partition },
    outcome: error.outcome,
  });
  for (const waiter of waiters) waiter.reject(told);
}
