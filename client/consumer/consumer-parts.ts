/** The parts of one consumer, joined: membership, what is held, reads, commits, and a timer for both. */
import { setMaxListeners } from 'node:events';
import { HighwaterError } from '../../proto/model/errors.ts';
import type { Timer } from '../../proto/ports/clock.ts';
import type { ClientParts } from '../client-parts.ts';
import type { PartitionCursor } from '../reader/partition-cursor.ts';
import { PartitionReads } from '../reader/partition-reads.ts';
import { resolveStart } from '../reader/start-offsets.ts';
import { Session } from '../session/session.ts';
import type { ConsumerEvent, ConsumerSettings } from './consumer-options.ts';
import { GroupLine } from './group-line.ts';
import { GroupMembership } from './group-membership.ts';
import type { HandlerLanes } from './handler-lanes.ts';
import { OffsetCommitter } from './offset-committer.ts';
import type { OwnedPartition } from './owned-partition.ts';
import { PartitionHolder } from './partition-holder.ts';
import { RecordSource } from './record-source.ts';

export class ConsumerParts {
  readonly settings: ConsumerSettings;
  readonly line: GroupLine;
  readonly membership: GroupMembership;
  readonly committer: OffsetCommitter;
  readonly reads: PartitionReads;
  readonly holder: PartitionHolder;
  readonly source: RecordSource;
  readonly #parts: ClientParts;
  readonly #stop = new AbortController();
  /** A run commits what its handlers have finished, whatever the option says. */
  #lanes: HandlerLanes | undefined;
  #timer: Timer | undefined;
  #committedMs: number;

  constructor(parts: ClientParts, settings: ConsumerSettings) {
    this.#parts = parts;
    this.settings = { ...settings, onEvent: (event) => this.#tell(settings, event) };
    const { signal } = this.#stop;
    // Every wait of the consumer listens to it; each takes its listener away again.
    setMaxListeners(0, signal);
    this.#committedMs = parts.machine.clock.now();
    this.line = new GroupLine(parts, settings.group, signal);
    this.membership = this.#createMembership();
    this.committer = new OffsetCommitter(this.line, () => ({
      group: settings.group,
      member: this.membership.member,
      generation: this.membership.generation,
    }));
    this.reads = new PartitionReads({
      parts,
      // The committed position carries its epoch, which says more than a session token would.
      session: new Session(),
      readFrom: settings.readFrom,
      rack: settings.rack === '' ? undefined : settings.rack,
      level: 'session',
      prefetchBytesMax: settings.prefetchBytesMax,
      onGivenUp: (cursor, error) => this.#onGivenUp(cursor, error),
    });
    this.holder = this.#createHolder();
    this.source = new RecordSource({
      reads: this.reads,
      holder: this.holder,
      clock: parts.machine.clock,
      checkSession: (nowMs) => this.membership.checkSession(nowMs),
    });
  }

  /** Aborted when the consumer is closed. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Joins the group. */
  begin(): void {
    void this.membership.run();
    this.#tickLater();
  }

  /** True if what is finished is committed without being asked. */
  commitsFinished(): boolean {
    return this.settings.autoCommit || this.#lanes !== undefined;
  }

  /** A run begins with these lanes, or has ended. */
  runs(lanes: HandlerLanes | undefined): void {
    this.#lanes = lanes;
  }

  /** What was handed out and not handled is handed out again, from the first of it on. */
  rewind(): void {
    for (const owned of this.holder.owned()) {
      const { handled } = owned.tracker;
      const at = handled?.offset ?? owned.from;
      if (owned.isClosed || at === owned.next.offset) continue;
      const start = { offset: at, epoch: handled?.leaderEpoch };
      this.holder.readAnew(owned, () => owned.goBackTo(start));
    }
  }

  /** Commits what is handled of every partition. */
  async commitFinished(): Promise<void> {
    await Promise.all(
      Array.from(this.holder.owned(), async (owned) => {
        const { handled } = owned.tracker;
        if (handled !== undefined) await this.committer.commit(owned, handled);
      }),
    );
  }

  close(): void {
    this.#timer?.cancel();
    this.holder.close();
    this.#stop.abort();
    this.reads.close();
    this.line.close();
  }

  /** What the user's listener throws is thrown to the loop, and stops nothing here. */
  #tell({ onEvent }: ConsumerSettings, event: ConsumerEvent): void {
    try {
      onEvent(event);
    } catch (error) {
      this.source.fail(error);
    }
  }

  #createMembership(): GroupMembership {
    const { settings } = this;
    return new GroupMembership(this.#parts, settings, this.line, {
      signal: this.#stop.signal,
      listener: {
        onAssignment: (assignment) => this.holder.assign(assignment),
        onLost: () => this.holder.lose(),
        onDisconnected: (error) => settings.onEvent({ kind: 'coordinator-lost', error }),
        onRefused: (error) => this.source.finish(error),
        held: () => this.holder.held(),
      },
    });
  }

  #createHolder(): PartitionHolder {
    return new PartitionHolder({
      parts: this.#parts,
      settings: this.settings,
      line: this.line,
      committer: this.committer,
      reads: this.reads,
      signal: this.#stop.signal,
      generation: () => this.membership.generation,
      commitsFinished: () => this.commitsFinished(),
      onClosing: () => this.#lanes?.dropClosed(),
      onHeld: () => this.membership.tellHeld(),
      onFailure: (error) => this.source.finish(error),
    });
  }

  /** No broker can mend the read of this partition: the user is told, or the option says what to do. */
  #onGivenUp(cursor: PartitionCursor, error: HighwaterError): void {
    const owned = this.holder.readBy(cursor);
    if (owned === undefined) return;
    this.holder.stopReading(owned);
    // A deleted topic leaves with the next assignment.
    if (error.code === 'UNKNOWN_TOPIC') return;
    const { onOutOfRange } = this.settings;
    if (error.code === 'OFFSET_OUT_OF_RANGE' && onOutOfRange !== 'fail')
      void this.#restart(owned, onOutOfRange);
    else this.source.fail(error);
  }

  async #restart(owned: OwnedPartition, from: 'earliest' | 'latest'): Promise<void> {
    const { topic } = owned;
    const partition = topic.partitions[owned.partition]?.partition;
    if (partition === undefined) return;
    try {
      const target = { parts: this.#parts, topic, partition, signal: this.#stop.signal };
      const start = await resolveStart(target, from);
      if (owned.isClosed || owned.cursor !== undefined) return;
      owned.moveTo(start);
      if (!owned.isPaused) this.holder.read(owned);
    } catch (caught) {
      if (!this.#stop.signal.aborted) this.source.fail(HighwaterError.from(caught));
    }
  }

  #tickLater(): void {
    const { autoCommitIntervalMs, slowHandlerMs } = this.settings;
    const everyMs = Math.max(10, Math.min(autoCommitIntervalMs, slowHandlerMs / 2, 1_000));
    this.#timer = this.#parts.machine.clock.after(everyMs, () => {
      if (this.#stop.signal.aborted) return;
      this.#tick();
      this.#tickLater();
    });
  }

  #tick(): void {
    const nowMs = this.#parts.machine.clock.now();
    const { settings } = this;
    for (const owned of this.holder.owned()) {
      const beganMs = owned.tracker.oldestBeganMs;
      if (beganMs === undefined || beganMs === owned.reportedMs) continue;
      const elapsedMs = nowMs - beganMs;
      if (elapsedMs < settings.slowHandlerMs) continue;
      owned.reportedMs = beganMs;
      settings.onEvent({ kind: 'slow-handler', elapsedMs, ...owned.place });
    }
    if (!this.commitsFinished() || nowMs - this.#committedMs < settings.autoCommitIntervalMs)
      return;
    this.#committedMs = nowMs;
    this.commitFinished().catch((caught: unknown) => {
      const error = HighwaterError.from(caught);
      if (!this.#stop.signal.aborted) settings.onEvent({ kind: 'commit-failed', error });
    });
  }
}
