/** Brokers, leaders, replicas, voters and features. */
import { adminService } from '../../proto/generated/highwater/v1/admin.ts';
import { checkedCount, checkedNode, checkedPartition } from '../connection/checked-input.ts';
import type { AdminCalls, CallLimits } from './admin-calls.ts';

export interface BrokerInfo {
  readonly node: number;
  readonly address: string;
  readonly rack: string;
  readonly state: string;
  readonly brokerEpoch: number;
  readonly leaders: number;
  readonly replicas: number;
}

export interface VoterInfo {
  readonly node: number;
  readonly address: string;
  readonly storageId: string;
  readonly isActive: boolean;
  readonly isLearner: boolean;
}

export interface ClusterInfo {
  readonly clusterId: string;
  readonly revision: number;
  readonly controller: number | undefined;
  /** The quorum's, as the broker that answers knows it. */
  readonly term: number;
  readonly brokers: readonly BrokerInfo[];
  readonly voters: readonly VoterInfo[];
  readonly featureLevel: number;
  readonly partitions: number;
  readonly offlinePartitions: number;
  readonly underReplicatedPartitions: number;
  readonly underMinIsrPartitions: number;
}

/** A partition by the name of its topic. */
export interface PartitionRef {
  readonly topic: string;
  readonly partition: number;
}

export interface AddVoterOptions extends CallLimits {
  /** Where the node listens for its peers, host:port; needed for one that is no broker. */
  readonly address?: string;
}

export interface ElectOptions extends CallLimits {
  /** The wanted leader; the preferred one if absent. */
  readonly leader?: number;
  /** Accept the loss that a dry run names. */
  readonly unclean?: boolean;
  /** Change nothing, tell what each replica would lack. */
  readonly dryRun?: boolean;
}

/** What would be missing if this replica led. */
export interface LossPreviewInfo {
  readonly node: number;
  readonly verifiedEpoch: number;
  readonly storedEnd: bigint;
  readonly recordsLostAtLeast: number;
  readonly suspect: boolean;
  readonly why: string;
}

export class ClusterAdmin {
  readonly #calls: AdminCalls;

  constructor(calls: AdminCalls) {
    this.#calls = calls;
  }

  async describe(limits?: CallLimits): Promise<ClusterInfo> {
    const answer = await this.#calls.call(adminService.describeCluster, {}, limits);
    return {
      ...answer,
      controller: answer.controller,
      brokers: answer.brokers.map(({ nodeId, ...broker }) => ({ node: nodeId, ...broker })),
      voters: answer.voters.map(({ nodeId, ...voter }) => ({ node: nodeId, ...voter })),
    };
  }

  /** Moves leaderships away from a broker, or lets it take them again. */
  async drain(
    node: number,
    options: CallLimits & { readonly undo?: boolean } = {},
  ): Promise<{ readonly leadersLeft: number }> {
    const { leadersLeft } = await this.#calls.change(
      adminService.drainBroker,
      {
        requestId: this.#calls.requestId(),
        nodeId: checkedNode(node),
        undo: options.undo ?? false,
      },
      options,
    );
    return { leadersLeft };
  }

  /** Moves replicas away from a broker and unregisters it; call again until none is left. */
  async remove(node: number, limits?: CallLimits): Promise<{ readonly replicasLeft: number }> {
    const { replicasLeft } = await this.#calls.change(
      adminService.removeBroker,
      { requestId: this.#calls.requestId(), nodeId: checkedNode(node) },
      limits,
    );
    return { replicasLeft };
  }

  /** Elects another leader; a dry run only tells what each candidate would lack. */
  async elect(
    target: PartitionRef,
    options: ElectOptions = {},
  ): Promise<{ readonly candidates: readonly LossPreviewInfo[] }> {
    const { candidates } = await this.#calls.change(
      adminService.electLeader,
      {
        requestId: this.#calls.requestId(),
        topic: target.topic,
        partition: checkedPartition(target.partition),
        leader: options.leader === undefined ? undefined : checkedNode(options.leader),
        unclean: options.unclean ?? false,
        dryRun: options.dryRun ?? false,
      },
      options,
    );
    return {
      candidates: candidates.map(({ nodeId, storedEnd, ...preview }) => ({
        node: nodeId,
        storedEnd: BigInt(storedEnd),
        ...preview,
      })),
    };
  }

  /** Places a partition on these nodes, in preference order; an empty list cancels a running move. */
  async reassign(
    target: PartitionRef,
    replicas: readonly number[],
    limits?: CallLimits,
  ): Promise<void> {
    await this.#calls.change(
      adminService.reassignPartition,
      {
        requestId: this.#calls.requestId(),
        topic: target.topic,
        partition: checkedPartition(target.partition),
        replicas: replicas.map(checkedNode),
      },
      limits,
    );
  }

  async addVoter(node: number, options: AddVoterOptions = {}): Promise<void> {
    await this.#changeVoter({ node, remove: false, address: options.address ?? '' }, options);
  }

  async removeVoter(node: number, limits?: CallLimits): Promise<void> {
    await this.#changeVoter({ node, remove: true, address: '' }, limits);
  }

  /** The active controller hands its part to another voter; resolves once that was asked for. */
  async transferController(node: number, limits?: CallLimits): Promise<void> {
    await this.#calls.change(
      adminService.transferController,
      { requestId: this.#calls.requestId(), nodeId: checkedNode(node) },
      limits,
    );
  }

  /** Takes features up to a level into use; 0 for the highest that every node speaks. */
  async finaliseFeatures(level = 0, limits?: CallLimits): Promise<{ readonly level: number }> {
    const answer = await this.#calls.change(
      adminService.finaliseFeatures,
      { requestId: this.#calls.requestId(), level: checkedCount(level, 0, 'feature level') },
      limits,
    );
    return { level: answer.level };
  }

  async #changeVoter(
    change: { readonly node: number; readonly remove: boolean; readonly address: string },
    limits?: CallLimits,
  ): Promise<void> {
    const { node, ...rest } = change;
    await this.#calls.change(
      adminService.changeVoter,
      { requestId: this.#calls.requestId(), nodeId: checkedNode(node), ...rest },
      limits,
    );
  }
}
