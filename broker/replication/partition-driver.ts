/**
 * Runs one replica: one queue of inputs, stepped one after the other, effects begun in order before
 * the next step. All decisions are the core's; this file only carries them out. Nothing is per record.
 */
import type { ReplicaReport } from '../../proto/generated/highwater/peer/v1/replication.ts';
import type { Acks } from '../../proto/model/acks.ts';
import type { NodeId, PartitionNumber, TopicId } from '../../proto/model/ids.ts';
import type { BrokerEpoch, LeaderEpoch, Offset } from '../../proto/model/offset.ts';
import type { BatchHeader } from '../../proto/wire/batch-header.ts';
import { stampBatch } from '../../proto/wire/batch-stamp.ts';
import { AskedMove } from './asked-move.ts';
import { checkReplicated } from './batch-intake.ts';
import type { AppendProduced, Effect, ProduceResult } from './core/effects.ts';
import type { Input } from './core/inputs.ts';
import { needsTicks } from './core/leader.ts';
import { step } from './core/partition.ts';
import type { PartitionState } from './core/state.ts';
import { PendingRequests, waitFor } from './pending-requests.ts';
import type { Replica, ReplicatedBatches } from './replica.ts';
import type { ReplicaLog } from './replica-log.ts';
import type { ReplicaNode } from './replica-node.ts';

export interface ProduceOptions {
  readonly acks: Acks;
  readonly deadlineMs: number;
  readonly expectedOffset: Offset | undefined;
}

export class PartitionDriver implements Replica {
  readonly topicId: TopicId;
  readonly partition: PartitionNumber;
  readonly log: ReplicaLog;
  readonly state: PartitionState;
  readonly #node: ReplicaNode;
  readonly #inputs: Input[] = [];
  readonly #effects: Effect[] = [];
  readonly #requests = new PendingRequests();
  readonly #readers = new Set<() => void>();
  #isStepping = false;
  #replicated: readonly Buffer[] = [];
  /** Whom this replica had a stream to. */
  #followed: NodeId | undefined;
  readonly #move = new AskedMove();

  constructor(
    identity: { readonly topicId: TopicId; readonly partition: PartitionNumber },
    log: ReplicaLog,
    state: PartitionState,
    node: ReplicaNode,
  ) {
    this.topicId = identity.topicId;
    this.partition = identity.partition;
    this.log = log;
    this.state = state;
    this.#node = node;
    log.listen({
      stored: (end, cuts) => this.step({ kind: 'stored', end, cuts }),
      failed: (failure) => {
        node.logFailed(this, failure);
        this.step({ kind: 'log-failed' });
      },
    });
  }

  get watermark(): Offset {
    return this.state.watermark;
  }

  /** Appends a checked batch; `done` is called once, perhaps before this returns. */
  produce(
    batch: Buffer,
    header: BatchHeader,
    options: ProduceOptions,
    done: (result: ProduceResult) => void,
  ): void {
    const verdict = this.log.judgeProducer(header);
    // A duplicate needs no room, and deduplication comes before every other refusal (rule 6.9).
    const refusal = verdict?.kind === 'fresh' ? this.log.refusalOf(batch.length) : undefined;
    if (verdict === undefined || (refusal !== undefined && refusal !== 'DISK_FULL')) {
      done({ kind: 'failed', code: refusal ?? 'OVERLOADED', outcome: 'not-written' });
      return;
    }
    this.step({
      kind: 'produce',
      token: this.#requests.add(batch, done),
      count: header.lastOffsetDelta + 1,
      acks: options.acks,
      deadlineMs: options.deadlineMs,
      nowMs: this.#node.clock.now(),
      verdict,
      expectedOffset: options.expectedOffset,
      isDiskFull: refusal === 'DISK_FULL',
    });
  }

  /** Waits as a write of what ends there would, and as a duplicate of it does: nothing is appended. */
  awaitLevel(
    endOffset: Offset,
    options: Pick<ProduceOptions, 'acks' | 'deadlineMs'>,
    done: (result: ProduceResult) => void,
  ): void {
    const token = this.#requests.add(undefined, done);
    this.step(waitFor(endOffset, { token, ...options, nowMs: this.#node.clock.now() }));
  }

  /** Calls back once, when the watermark has moved or the role has changed. Returns how to stop that. */
  onceMoved(callback: () => void): () => void {
    this.#readers.add(callback);
    return () => this.#readers.delete(callback);
  }

  /** The metadata asks this leader to move the lead to a successor, or no longer does. */
  handOverTo(successor: NodeId | undefined): void {
    const input = this.#move.follow(this.state, successor, this.#node.clock.now());
    if (input !== undefined) this.step(input);
  }

  /** Deletes records for good; followers are told with the next watermark. */
  async deleteRecords(to: Offset): Promise<Offset> {
    const start = await this.log.deleteRecords(to);
    this.step({ kind: 'log-start', offset: start });
    this.#touchFollowers();
    return start;
  }

  /** What the topic no longer keeps goes, on every replica and never above the watermark. */
  async retain(): Promise<void> {
    const before = this.log.startOffset;
    const start = await this.log.retain();
    if (start === before) return;
    this.step({ kind: 'log-start', offset: start });
    this.#touchFollowers();
  }

  followerReported(follower: NodeId, brokerEpoch: BrokerEpoch, report: ReplicaReport): void {
    const { stream, leaderEpoch, logEnd, storedEnd } = report;
    this.step({
      kind: 'follower-reported',
      follower,
      brokerEpoch,
      stream,
      leaderEpoch,
      logEnd,
      storedEnd,
    });
  }

  takeReplicated(batches: ReplicatedBatches): boolean {
    const { stream, leaderEpoch, baseOffset, watermark } = batches;
    const run = checkReplicated(batches);
    if (run === undefined) return false;
    this.#replicated = run.batches;
    this.step({
      kind: 'replicated',
      stream,
      leaderEpoch,
      baseOffset,
      endOffset: run.endOffset,
      epochs: run.epochs,
      watermark,
    });
    return true;
  }

  step(input: Input): void {
    this.#node.judgeLease();
    this.#inputs.push(input);
    if (this.#isStepping) return;
    this.#isStepping = true;
    try {
      for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) {
        const before = this.state.role;
        step(this.state, next, this.#effects);
        for (const effect of this.#effects.splice(0)) this.#run(effect);
        if (before !== this.state.role) this.#wakeReaders();
      }
    } catch (error) {
      this.#node.fail(error);
    } finally {
      this.#isStepping = false;
    }
    this.#afterStep();
  }

  /** What the state asks for that no effect says: a stream while there is none, and ticks. */
  #afterStep(): void {
    const { role } = this.state;
    if (role.kind === 'follower' && role.phase === 'closed')
      this.#node.streams.want(this, role.leader);
    if (needsTicks(this.state)) this.#node.wantTicks(this);
  }

  #run(effect: Effect): void {
    const { streams } = this.#node;
    switch (effect.kind) {
      case 'append':
        return this.#append(effect);
      case 'append-replicated':
        return this.log.append(this.#replicated);
      case 'reply':
        return this.#requests.answer(effect.token, effect.result);
      case 'watermark':
        return this.#watermarkMoved(effect.offset);
      case 'truncate':
        return this.#cut(this.log.truncate(effect.to, effect.isKeptAside), effect.cuts);
      case 'reset':
        return this.#cut(this.log.reset(effect.to), effect.cuts);
      case 'persist-verified-epoch':
        return this.#persistVerifiedEpoch(effect.epoch);
      case 'answer-open':
        return streams.answerOpen(this, effect);
      case 'close-follower':
        return streams.stopFollower(this, effect.follower, effect.stream);
      case 'open-stream':
        return this.#openStream(effect);
      case 'close-stream':
        if (this.#followed !== undefined) streams.forget(this, this.#followed);
        return;
      case 'report':
        return streams.report(this, effect);
      case 'propose':
        return this.#node.propose(this, effect.proposal);
      case 'answer-promise':
        return this.#node.answerPromise(this, effect);
      case 'resign':
        return this.#node.resign(this, effect.leaderEpoch);
      case 'hand-over-ready':
        return this.#node.handOverReady(this, effect.successor, effect.leaderEpoch);
      case 'event':
        if (effect.event.event === 'became-leader') this.#beginEpoch(effect.event.leaderEpoch);
        return this.#node.record(this, effect.event);
      case 'halt':
        return;
    }
  }

  #append(effect: AppendProduced): void {
    const batch = this.#requests.takeBatch(effect.token);
    stampBatch(batch, 0, effect);
    this.log.append([batch]);
    this.#touchFollowers();
  }

  #watermarkMoved(offset: Offset): void {
    this.log.checkpointWatermark(offset);
    this.#touchFollowers();
    this.#wakeReaders();
  }

  #touchFollowers(): void {
    const { role } = this.state;
    if (role.kind === 'leader') this.#node.streams.touched(this, role.followers.keys());
  }

  #wakeReaders(): void {
    if (this.#readers.size === 0) return;
    const readers = [...this.#readers];
    this.#readers.clear();
    for (const wake of readers) wake();
  }

  #openStream(effect: Extract<Effect, { kind: 'open-stream' }>): void {
    if (this.#followed !== undefined && this.#followed !== effect.leader)
      this.#node.streams.forget(this, this.#followed);
    this.#followed = effect.leader;
    this.#node.streams.open(this, effect);
  }

  #cut(done: Promise<void>, cuts: number): void {
    done.then(
      () => this.step({ kind: 'truncated', cuts }),
      (error: unknown) => this.#node.fail(error),
    );
  }

  /** Not waited for: the records under it are flushed after it, and nothing is acknowledged before them. */
  #beginEpoch(epoch: LeaderEpoch): void {
    this.log.beginEpoch(epoch).catch((error: unknown) => this.#node.fail(error));
  }

  #persistVerifiedEpoch(epoch: LeaderEpoch): void {
    this.log.persistVerifiedEpoch(epoch).then(
      () => this.step({ kind: 'verified-epoch-persisted', epoch }),
      (error: unknown) => this.#node.fail(error),
    );
  }
}
