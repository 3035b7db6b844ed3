/**
 * What the replicas of one node share: streams to other nodes, the way to the controllers, ticks, and
 * what their events are told as. Ticks go only to replicas that asked for them, so idle partitions
 * cost nothing.
 */
import type { NodeId } from '../../proto/model/ids.ts';
import type { LeaderEpoch } from '../../proto/model/offset.ts';
import type { Clock } from '../../proto/ports/clock.ts';
import type { Logger } from '../../proto/ports/logger.ts';
import type { LogFailure } from '../log/partition-log.ts';
import type { ControllerConversation } from '../replication/controller-conversation.ts';
import type { Effect, IsrProposal } from '../replication/core/effects.ts';
import type { PartitionEvent } from '../replication/core/events.ts';
import { needsTicks } from '../replication/core/leader.ts';
import type { PartitionDriver } from '../replication/partition-driver.ts';
import type { ReplicaNode } from '../replication/replica-node.ts';
import type { ReplicationStreams } from '../replication/replication-streams.ts';

export interface ReplicaSurroundingsOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly streams: ReplicationStreams;
  readonly conversation: ControllerConversation;
  judgeLease(): void;
  onFailure(error: unknown): void;
}

const tickMs = 25;

export class ReplicaSurroundings implements ReplicaNode {
  readonly clock: Clock;
  readonly streams: ReplicationStreams;
  readonly #options: ReplicaSurroundingsOptions;
  readonly #ticking = new Set<PartitionDriver>();
  #lastTickMs = 0;
  #isTicking = false;

  constructor(options: ReplicaSurroundingsOptions) {
    this.#options = options;
    this.clock = options.clock;
    this.streams = options.streams;
  }

  propose(replica: PartitionDriver, proposal: IsrProposal): void {
    this.#options.conversation.propose(replica, proposal);
  }

  answerPromise(
    replica: PartitionDriver,
    answer: Extract<Effect, { kind: 'answer-promise' }>,
  ): void {
    this.#options.conversation.answerPromise(replica, answer);
  }

  resign(replica: PartitionDriver, leaderEpoch: LeaderEpoch): void {
    this.#options.conversation.resign(replica, leaderEpoch);
  }

  handOverReady(replica: PartitionDriver, successor: NodeId, leaderEpoch: LeaderEpoch): void {
    this.#options.conversation.handOverReady(replica, successor, leaderEpoch);
  }

  record(replica: PartitionDriver, event: PartitionEvent): void {
    const { event: name, ...evidence } = event;
    const fields = { topicId: replica.topicId, partition: replica.partition, ...evidence };
    if (name === 'halted')
      this.#options.logger.error(name, 'A replica stopped rather than break a rule.', fields);
    else this.#options.logger.info(name, sentences[name], fields);
  }

  logFailed(replica: PartitionDriver, failure: LogFailure): void {
    const { topicId, partition } = replica;
    const { code, logEndOffset, cause } = failure;
    this.#options.logger.error(
      'log-failed',
      'The log of a replica failed; it takes no further part.',
      { topicId, partition, code, logEndOffset, error: cause },
    );
  }

  judgeLease(): void {
    this.#options.judgeLease();
  }

  fail(error: unknown): void {
    this.#options.onFailure(error);
  }

  wantTicks(replica: PartitionDriver): void {
    this.#ticking.add(replica);
    if (this.#isTicking) return;
    this.#isTicking = true;
    this.#lastTickMs = this.clock.now();
    this.#arm();
  }

  #arm(): void {
    this.clock.after(tickMs, () => this.#tick());
  }

  #tick(): void {
    const nowMs = this.clock.now();
    // A stall is time in which this process could not serve: followers are not blamed for it (rule B3.6).
    const ableToServeMs = Math.min(nowMs - this.#lastTickMs, 2 * tickMs);
    this.#lastTickMs = nowMs;
    for (const replica of this.#ticking) {
      replica.step({ kind: 'tick', nowMs, ableToServeMs });
      if (!needsTicks(replica.state)) this.#ticking.delete(replica);
    }
    this.#isTicking = this.#ticking.size > 0;
    if (this.#isTicking) this.#arm();
  }
}

const sentences: Readonly<Record<PartitionEvent['event'], string>> = {
  'became-leader': 'This node leads the partition.',
  'stepped-down': 'This node no longer leads the partition.',
  'may-not-lead':
    'Named leader of an epoch that an earlier incarnation led: asks for another election.',
  promised: 'An election round is open: nothing more is taken from earlier leaders.',
  following: 'The replica follows a leader.',
  truncated: 'The log is cut to where it agrees with the leader.',
  'isr-shrink-proposed': 'Followers lag: the leader proposes a smaller in-sync set.',
  'isr-expand-proposed': 'Followers have caught up: the leader proposes a larger in-sync set.',
  'isr-changed': 'The in-sync set has changed.',
  'semi-sync-degraded': 'Too few replicas store in time: semi-sync is acknowledged as leader.',
  'semi-sync-recovered': 'Enough replicas store in time again.',
  halted: 'The replica stopped rather than cut below its watermark.',
};
