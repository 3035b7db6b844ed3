/** Topics: create, describe, change, delete. */
import { adminService } from '../../proto/generated/highwater/v1/admin.ts';
import { metadataService } from '../../proto/generated/highwater/v1/metadata.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import type { NodeId } from '../../proto/model/ids.ts';
import {
  checkedCount,
  checkedNode,
  checkedOffset,
  checkedOptions,
  checkedPartition,
  checkNames,
  invalidRequest,
} from '../connection/checked-input.ts';
import { addressOf } from '../metadata/broker-rotation.ts';
import { leaderOf, type TopicView } from '../metadata/cluster-view.ts';
import type { MetadataWatch } from '../metadata/metadata-watch.ts';
import type { AdminCalls, CallLimits } from './admin-calls.ts';

/** A setting as it is given; it travels and is kept as a text. */
export type SettingValue = string | number | boolean;

/** A topic to create. */
export interface TopicSpec {
  readonly name: string;
  /** 1 by default. */
  readonly partitions?: number;
  /** 3 by default, or as many brokers as there are. */
  readonly replicationFactor?: number;
  /** Settings by name, see docs/configuration.md. */
  readonly config?: Readonly<Record<string, SettingValue>>;
  /** Explicit placement, one list of nodes for each partition, instead of the counts. */
  readonly assignment?: readonly (readonly number[])[];
  /** Check everything and change nothing. */
  readonly validateOnly?: boolean;
}

const specNames: Readonly<Record<keyof TopicSpec, true>> = {
  name: true,
  partitions: true,
  replicationFactor: true,
  config: true,
  assignment: true,
  validateOnly: true,
};

/** What the leader knows of one replica. */
export interface ReplicaProgressInfo {
  readonly node: number;
  readonly logEnd: bigint;
  readonly storedEnd: bigint;
  readonly highWatermark: bigint;
  readonly lagBytes: number;
  readonly lagMs: number;
}

export interface PartitionInfo {
  readonly partition: number;
  readonly leader: number | undefined;
  readonly leaderEpoch: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  readonly elr: readonly number[];
  readonly semiSyncMembers: readonly number[];
  /** From the broker that answered, if it leads the partition. */
  readonly progress: readonly ReplicaProgressInfo[];
  /** Why it waits, while it has no leader. */
  readonly waitingFor: string;
}

export interface SettingInfo {
  readonly name: string;
  readonly value: string;
  readonly isDefault: boolean;
  readonly meaning: string;
}

export interface TopicInfo {
  readonly topicId: string;
  readonly name: string;
  readonly partitions: readonly PartitionInfo[];
  readonly settings: readonly SettingInfo[];
}

/** One line of a list of topics. */
export interface TopicSummary {
  readonly topicId: string;
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly isInternal: boolean;
  /** Partitions without a leader. */
  readonly offline: number;
  /** Partitions whose in-sync set is not complete. */
  readonly underReplicated: number;
  readonly config: Readonly<Record<string, string>>;
}

const replicationFactorDefault = 3;

export class TopicAdmin {
  readonly #calls: AdminCalls;
  readonly #metadata: MetadataWatch;

  constructor(calls: AdminCalls, metadata: MetadataWatch) {
    this.#calls = calls;
    this.#metadata = metadata;
  }

  /** Returns the topic's id once this client sees the topic. */
  async create(spec: TopicSpec, limits?: CallLimits): Promise<{ readonly topicId: string }> {
    const { assignment, name } = checkedOptions(spec, 'topic');
    checkNames(spec, specNames, 'topic');
    if (typeof name !== 'string') throw invalidRequest('a topic has a name');
    const brokers = Math.max(1, this.#metadata.view.brokers.size);
    const factor = spec.replicationFactor ?? Math.min(replicationFactorDefault, brokers);
    const { topicId } = await this.#calls.change(
      adminService.createTopic,
      {
        requestId: this.#calls.requestId(),
        name,
        partitions:
          assignment === undefined ? checkedCount(spec.partitions ?? 1, 1, 'partitions') : 0,
        replicationFactor:
          assignment === undefined ? checkedCount(factor, 1, 'replicationFactor') : 0,
        config: new Map(
          Object.entries(spec.config ?? {}).map(([key, value]) => [key, String(value)]),
        ),
        assignment: (assignment ?? []).map((nodes) => ({ replicas: nodes.map(checkedNode) })),
        validateOnly: spec.validateOnly ?? false,
      },
      limits,
    );
    return { topicId };
  }

  async delete(name: string, limits?: CallLimits): Promise<void> {
    await this.#calls.change(
      adminService.deleteTopic,
      { requestId: this.#calls.requestId(), name },
      limits,
    );
  }

  /** Sets settings; `undefined` puts one back to its default. */
  async alter(
    name: string,
    config: Readonly<Record<string, SettingValue | undefined>>,
    limits?: CallLimits,
  ): Promise<void> {
    const set = new Map<string, string>();
    const reset: string[] = [];
    for (const [key, value] of Object.entries(config)) {
      if (value === undefined) reset.push(key);
      else set.set(key, String(value));
    }
    await this.#calls.change(
      adminService.alterTopic,
      { requestId: this.#calls.requestId(), name, set, reset },
      limits,
    );
  }

  /** `partitions` is the new total. */
  async addPartitions(name: string, partitions: number, limits?: CallLimits): Promise<void> {
    await this.#calls.change(
      adminService.addPartitions,
      {
        requestId: this.#calls.requestId(),
        name,
        partitions: checkedCount(partitions, 1, 'partitions'),
      },
      limits,
    );
  }

  async describe(name: string, limits?: CallLimits): Promise<TopicInfo> {
    const answer = await this.#calls.call(adminService.describeTopic, { name }, limits);
    return {
      ...answer,
      partitions: answer.partitions.map((one) => ({
        ...one,
        leader: one.leader,
        progress: one.progress.map(({ nodeId, logEnd, storedEnd, highWatermark, ...lag }) => ({
          node: nodeId,
          logEnd: BigInt(logEnd),
          storedEnd: BigInt(storedEnd),
          highWatermark: BigInt(highWatermark),
          ...lag,
        })),
      })),
    };
  }

  /** Every topic that the cluster knows, as of this call. */
  async list(limits?: CallLimits): Promise<readonly TopicSummary[]> {
    const { revision } = await this.#calls.call(
      metadataService.getMetadata,
      { topics: ['-'], minRevision: this.#metadata.view.revision, linearizable: true },
      limits,
    );
    const timeoutMs = limits?.timeoutMs;
    await this.#calls.seen(revision, timeoutMs, limits?.signal);
    return Array.from(this.#metadata.view.topicsById.values(), summaryOf).toSorted((a, b) =>
      a.name < b.name ? -1 : 1,
    );
  }

  /** Deletes all records below an offset; returns where the log starts then. */
  async deleteRecords(
    target: { readonly topic: string; readonly partition: number; readonly before: bigint },
    limits?: CallLimits,
  ): Promise<{ readonly logStartOffset: bigint }> {
    const partition = checkedPartition(target.partition);
    const topic = this.#metadata.view.topicsByName.get(target.topic);
    if (topic === undefined)
      throw new HighwaterError('UNKNOWN_TOPIC', `no topic ${JSON.stringify(target.topic)}`);
    const answer = await this.#calls.call(
      adminService.deleteRecords,
      { topic: target.topic, partition, beforeOffset: checkedOffset(target.before) },
      limits,
      () => {
        const leader = leaderOf(this.#metadata.view, topic.topicId, partition);
        return leader === undefined ? undefined : addressOf(leader.broker);
      },
    );
    return { logStartOffset: BigInt(answer.logStartOffset) };
  }
}

function summaryOf(topic: TopicView): TopicSummary {
  const { topicId, name, isInternal, partitions } = topic;
  const width = (nodes: readonly NodeId[] | undefined): number => nodes?.length ?? 0;
  return {
    topicId,
    name,
    isInternal,
    partitions: partitions.length,
    replicationFactor: width(partitions[0]?.replicas),
    offline: partitions.filter((one) => one.leader === undefined).length,
    underReplicated: partitions.filter((one) => width(one.isr) < width(one.replicas)).length,
    config: Object.fromEntries(topic.config),
  };
}
