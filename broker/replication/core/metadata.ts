/**
 * What the controllers have committed about one partition, as the broker's image tells it.
 *
 * The eligible leader replicas are not here: they are the controllers' business, and a leader that
 * looked at them could not tell a member from a former one (rule B1.2).
 */
import type { NodeId } from '../../../proto/model/ids.ts';
import type { BrokerEpoch, LeaderEpoch, PartitionEpoch } from '../../../proto/model/offset.ts';

/** The committed facts of one partition. A greater `partitionEpoch` replaces a smaller one. */
export interface PartitionMetadata {
  /** Undefined: an election round is open and applying this is the promise (rule 6.5). */
  readonly leader: NodeId | undefined;
  /** Rises with each round. Never goes back. */
  readonly leaderEpoch: LeaderEpoch;
  /** Rises with each change of the partition. Never goes back. */
  readonly partitionEpoch: PartitionEpoch;
  /** The assigned replicas in preference order. */
  readonly replicas: readonly ReplicaMetadata[];
  /** The committed in-sync set. Holds the leader where there is one. */
  readonly isr: readonly NodeId[];
  /** Everybody who may hold a record acknowledged at `semi-sync`; empty: the level is not in use. */
  readonly semiSyncMembers: readonly NodeId[];
  /** The k that election rounds count with. Below `settings.semiSyncReplicas` until settled. */
  readonly semiSyncReplicas: number;
  /** The latest epoch whose leader was elected uncleanly: followers may cut below their watermark. */
  readonly uncleanEpoch: LeaderEpoch | undefined;
  readonly settings: PartitionSettings;
}

/** One assigned replica. */
export interface ReplicaMetadata {
  readonly nodeId: NodeId;
  /** The incarnation that is registered. A stream of another one is refused (rule B3.3). */
  readonly brokerEpoch: BrokerEpoch;
  /** False: fenced or shutting down, must not be proposed for the in-sync set. */
  readonly isEligible: boolean;
}

/** The topic's settings as far as they decide anything here. */
export interface PartitionSettings {
  readonly minInsyncReplicas: number;
  /** The k that is wanted. Acks need at least this many; 0 refuses the level. */
  readonly semiSyncReplicas: number;
  readonly semiSyncTimeoutMs: number;
  readonly semiSyncOnTimeout: 'fail' | 'degrade';
  /** A follower further behind than this, in time the leader could serve, leaves the in-sync set. */
  readonly lagTimeMaxMs: number;
  /** Replicas compact by themselves: what lies below a watermark differs between them. */
  readonly isCompacted?: boolean;
}
