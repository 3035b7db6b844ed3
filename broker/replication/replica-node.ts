/** What a replica needs of the node that hosts it. */
import type { NodeId } from '../../proto/model/ids.ts';
import type { LeaderEpoch } from '../../proto/model/offset.ts';
import type { Clock } from '../../proto/ports/clock.ts';
import type { LogFailure } from '../log/partition-log.ts';
import type { AnswerPromise, IsrProposal } from './core/effects.ts';
import type { PartitionEvent } from './core/events.ts';
import type { PartitionDriver } from './partition-driver.ts';
import type { ReplicationStreams } from './replication-streams.ts';

/** One for all replicas of a node. */
export interface ReplicaNode {
  readonly clock: Clock;
  readonly streams: ReplicationStreams;
  propose(replica: PartitionDriver, proposal: IsrProposal): void;
  answerPromise(replica: PartitionDriver, answer: AnswerPromise): void;
  resign(replica: PartitionDriver, leaderEpoch: LeaderEpoch): void;
  handOverReady(replica: PartitionDriver, successor: NodeId, leaderEpoch: LeaderEpoch): void;
  record(replica: PartitionDriver, event: PartitionEvent): void;
  /**
   * The lease is judged by the clock before each input: what was queued while the process stood still meets
   * a replica that knows that it has none, and nothing is acknowledged between its end and the next look
   * (rules 6.7, B3.14).
   */
  judgeLease(): void;
  /** Ticks are wanted from now on, until `needsTicks` is false. */
  wantTicks(replica: PartitionDriver): void;
  /** The log failed: the replica takes no further part until it is opened again. */
  logFailed(replica: PartitionDriver, failure: LogFailure): void;
  /** Something that the node rests on has failed. */
  fail(error: unknown): void;
}
