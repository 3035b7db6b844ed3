/** Makes the replica of a log: what its machine begins with, from the log and the committed state. */
import type { PartitionState } from '../../proto/generated/highwater/metadata/v1/records.ts';
import type { NodeId } from '../../proto/model/ids.ts';
import type { BrokerEpoch } from '../../proto/model/offset.ts';
import type { PartitionLog } from '../log/partition-log.ts';
import { createPartition } from '../replication/core/partition.ts';
import type { Rules } from '../replication/core/rules.ts';
import { PartitionDriver } from '../replication/partition-driver.ts';
import { ReplicaLog } from '../replication/replica-log.ts';
import type { ReplicaNode } from '../replication/replica-node.ts';

/** What of the node matters. */
export interface ReplicaHost {
  readonly nodeId: NodeId;
  readonly brokerEpoch: BrokerEpoch;
  readonly node: ReplicaNode;
  readonly isLeaseHeld: () => boolean;
  /** Every rule, unless a simulation breaks one. */
  readonly rules: Rules | undefined;
}

/** What is committed, whether this process has only begun, and what it did for the replica before. */
export interface ReplicaPast {
  readonly partition: PartitionState;
  readonly isStart: boolean;
  readonly streams: number;
}

/** It has applied no metadata yet. */
export function openReplica(
  host: ReplicaHost,
  log: PartitionLog,
  { partition, isStart, streams }: ReplicaPast,
): PartitionDriver {
  const { nodeId, brokerEpoch, node, rules, isLeaseHeld } = host;
  const replicaLog = new ReplicaLog(log);
  const wasLeader = isStart && partition.leader === nodeId;
  const state = createPartition({
    self: nodeId,
    brokerEpoch,
    logStart: log.logStartOffset,
    logEnd: log.logEndOffset,
    history: log.epochs,
    watermark: log.highWatermark,
    verifiedEpoch: replicaLog.verifiedEpoch,
    isSuspect: partition.suspects.includes(nodeId) || replicaLog.isDamaged,
    // What an earlier incarnation led is not led on: it may have pushed what is not here (rule 6.3).
    forfeitedEpoch: wasLeader ? partition.leaderEpoch : undefined,
    isLeaseHeld: isLeaseHeld(),
    streams,
    ...(rules === undefined ? {} : { rules }),
  });
  const { topicId } = log.key;
  return new PartitionDriver({ topicId, partition: partition.partition }, replicaLog, state, node);
}
