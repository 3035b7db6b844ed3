/**
 * What this member holds, brought from one assignment to the next: what it is not to keep is let go once
 * the record under way is handled and committed, and only then is the coordinator told; what it is given
 * begins at the committed offset.
 *
 * Invariant: a partition is told as not held only when none of its records is being handled here, or the
 * time for that is over.
 */
import type { Assignment, TopicPartitions } from '../../proto/generated/highwater/v1/group.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import { partitionNumber, type TopicId } from '../../proto/model/ids.ts';
import type { ClientParts } from '../client-parts.ts';
import { pause } from '../connection/waiting.ts';
import { leaderOf } from '../metadata/cluster-view.ts';
import type { PartitionCursor } from '../reader/partition-cursor.ts';
import type { PartitionReads } from '../reader/partition-reads.ts';
import type { ConsumerEvent, ConsumerSettings } from './consumer-options.ts';
import { assignmentChange } from './core/assignment-change.ts';
import type { GroupLine } from './group-line.ts';
import type { OffsetCommitter } from './offset-committer.ts';
import { type Given, openPartitions } from './open-partitions.ts';
import { type OwnedPartition, partitionKeyOf } from './owned-partition.ts';

export interface PartitionHolderOptions {
  readonly parts: ClientParts;
  readonly settings: ConsumerSettings;
  readonly line: GroupLine;
  readonly committer: OffsetCommitter;
  readonly reads: PartitionReads;
  readonly signal: AbortSignal;
  readonly generation: () => number;
  /** Commits what the loop has finished before a partition is let go. */
  readonly commitsFinished: () => boolean;
  /** Nothing more is handed out of some partitions. */
  readonly onClosing: () => void;
  /** What is held has changed. */
  readonly onHeld: () => void;
  readonly onFailure: (error: HighwaterError) => void;
}

const retryMs = 250;

export class PartitionHolder {
  readonly #options: PartitionHolderOptions;
  readonly #owned = new Map<string, OwnedPartition>();
  readonly #releasing = new Set<string>();
  readonly #taking = new Map<string, number>();
  /** What this member is to hold, as it was told last. */
  #assigned = new Map<string, Given>();
  /** Counts losses: what was begun before one is void. */
  #life = 0;

  constructor(options: PartitionHolderOptions) {
    this.#options = options;
  }

  /** The partitions that are held at present. */
  owned(): IterableIterator<OwnedPartition> {
    return this.#owned.values();
  }

  /** The partition that a cursor reads; undefined once it reads for nobody. */
  readBy(cursor: PartitionCursor): OwnedPartition | undefined {
    const owned = this.#owned.get(partitionKeyOf(cursor.topic.topicId, cursor.partition));
    return owned?.cursor === cursor && !owned.isClosed ? owned : undefined;
  }

  find(topic: string, partition: number): OwnedPartition | undefined {
    for (const owned of this.#owned.values())
      if (owned.partition === partition && owned.topic.name === topic) return owned;
    return undefined;
  }

  /** As it is told to the coordinator. */
  held(): TopicPartitions[] {
    const byTopic = new Map<TopicId, number[]>();
    const add = (key: string): void => {
      const slash = key.lastIndexOf('/');
      const topicId = key.slice(0, slash) as TopicId;
      byTopic.set(topicId, [...(byTopic.get(topicId) ?? []), Number(key.slice(slash + 1))]);
    };
    for (const key of this.#owned.keys()) add(key);
    for (const key of this.#taking.keys()) if (!this.#owned.has(key)) add(key);
    return Array.from(byTopic, ([topicId, partitions]) => ({
      topicId,
      topic: '',
      partitions: partitions.map(partitionNumber),
      given: [],
    }));
  }

  /** The coordinator says what to hold. */
  assign(assignment: Assignment): void {
    this.#assigned = new Map(
      assignment.partitions.flatMap(({ topicId, partitions, given }) =>
        partitions.map((partition, index): [string, Given] => [
          partitionKeyOf(topicId, partition),
          { topicId, partition, given: given[index] ?? 0 },
        ]),
      ),
    );
    this.#reconcile();
    this.#options.onHeld();
  }

  /** Everything is gone at once: others may hold it already. */
  lose(): void {
    const lost = [...this.#owned.values()];
    this.close();
    this.#options.committer.endSession();
    if (lost.length > 0) this.#tell('lost', lost);
  }

  /** Holds nothing any more. */
  close(): void {
    this.#life++;
    const lost = [...this.#owned.values()];
    for (const owned of lost) this.#close(owned);
    this.#owned.clear();
    this.#releasing.clear();
    this.#taking.clear();
    this.#assigned = new Map();
    this.#options.onClosing();
  }

  /** Begins to read from where the partition stands. */
  read(owned: OwnedPartition): void {
    const { parts, reads } = this.#options;
    const { clock, random } = parts.machine;
    reads.add(owned.openCursor(clock.now(), random.below(1024)));
  }

  /** Reads the partition no longer. */
  stopReading(owned: OwnedPartition): void {
    const { cursor } = owned;
    owned.cursor = undefined;
    if (cursor !== undefined) this.#options.reads.remove(cursor);
  }

  /** `move` gives it another place: what was asked for before is dropped, and it reads on from there. */
  readAnew(owned: OwnedPartition, move: () => void): void {
    this.stopReading(owned);
    move();
    if (!owned.isPaused) this.read(owned);
  }

  #reconcile(): void {
    for (const [key, given] of this.#taking)
      if (this.#assigned.get(key)?.given !== given) this.#taking.delete(key);
    const held = new Map<string, number>(this.#taking);
    for (const [key, { given }] of this.#owned) held.set(key, given);
    const assigned = new Map(Array.from(this.#assigned, ([key, { given }]) => [key, given]));
    const { release, take } = assignmentChange(held, assigned);
    const leaving = release.flatMap((key) => {
      const owned = this.#owned.get(key);
      return owned === undefined || this.#releasing.has(key) ? [] : [owned];
    });
    if (leaving.length > 0) void this.#release(leaving);
    const coming = take.flatMap((key) => this.#assigned.get(key) ?? []);
    // Nobody can say where a partition without a leader begins: the others do not wait for it.
    const led = coming.filter((one) => this.#isLed(one));
    const leaderless = coming.filter((one) => !this.#isLed(one));
    for (const group of [led, leaderless]) if (group.length > 0) void this.#take(group);
  }

  #isLed({ topicId, partition }: Given): boolean {
    const { view } = this.#options.parts.metadata;
    return leaderOf(view, topicId, partitionNumber(partition)) !== undefined;
  }

  async #release(leaving: readonly OwnedPartition[]): Promise<void> {
    const life = this.#life;
    const { parts, settings, signal, onHeld } = this.#options;
    for (const owned of leaving) {
      this.#releasing.add(owned.key);
      this.#close(owned);
    }
    this.#options.onClosing();
    await Promise.all(
      leaving.map(async (owned) => {
        await Promise.race([
          owned.idle(),
          pause(parts.machine.clock, settings.releaseTimeoutMs, signal).catch(() => undefined),
        ]);
        // After a loss the partition may be somebody else's: nothing is committed of it any more.
        if (life === this.#life) await this.#commitLast(owned);
        if (life !== this.#life) return;
        this.#releasing.delete(owned.key);
        this.#owned.delete(owned.key);
        this.#tell('released', [owned]);
        onHeld();
      }),
    );
    if (life === this.#life) this.#reconcile();
  }

  /** A refusal says that the partition is somebody else's already: then it is theirs to commit. */
  async #commitLast(owned: OwnedPartition): Promise<void> {
    const { handled } = owned.tracker;
    const { committer } = this.#options;
    if (handled !== undefined && this.#options.commitsFinished())
      await committer.commit(owned, handled).catch(() => undefined);
    await committer.settled(owned.key);
  }

  async #take(coming: readonly Given[]): Promise<void> {
    const life = this.#life;
    for (const { topicId, partition, given } of coming)
      this.#taking.set(partitionKeyOf(topicId, partition), given);
    const isWanted = ({ topicId, partition, given }: Given): boolean =>
      life === this.#life && this.#taking.get(partitionKeyOf(topicId, partition)) === given;
    try {
      const taken = await openPartitions(this.#options, coming, isWanted);
      for (const owned of taken) {
        this.#taking.delete(owned.key);
        this.#owned.set(owned.key, owned);
        this.read(owned);
      }
      if (taken.length > 0) this.#tell('assigned', taken);
    } catch (caught) {
      const error = HighwaterError.from(caught);
      if (this.#options.signal.aborted || life !== this.#life) return;
      const wanted = coming.filter(isWanted);
      for (const { topicId, partition } of wanted)
        this.#taking.delete(partitionKeyOf(topicId, partition));
      if (!error.retriable && !passing.has(error.code)) {
        this.#options.onFailure(error);
        return;
      }
      await pause(this.#options.parts.machine.clock, retryMs, this.#options.signal).catch(
        () => undefined,
      );
    }
    if (life === this.#life && !this.#options.signal.aborted) this.#reconcile();
  }

  #close(owned: OwnedPartition): void {
    owned.isClosed = true;
    this.stopReading(owned);
  }

  #tell(kind: 'assigned' | 'released' | 'lost', partitions: readonly OwnedPartition[]): void {
    const event: ConsumerEvent = { kind, partitions: partitions.map((owned) => owned.place) };
    this.#options.settings.onEvent(event);
  }
}

/** What another attempt may mend, or what the next assignment will have settled. */
const passing: ReadonlySet<string> = new Set([
  'CLOSED',
  'STALE_GENERATION',
  'UNKNOWN_MEMBER',
  'UNKNOWN_TOPIC',
]);
