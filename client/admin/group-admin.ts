/** Consumer groups as an operator sees them: who is in them, what they hold, how far behind they are. */
import {
  type DescribeGroupResponse,
  type GroupLag,
  groupService,
  type TopicPartitions,
} from '../../proto/generated/highwater/v1/group.ts';
import { partitionNumber } from '../../proto/model/ids.ts';
import { leaderEpoch } from '../../proto/model/offset.ts';
import type { ClientParts } from '../client-parts.ts';
import { checkedPartition, invalidRequest } from '../connection/checked-input.ts';
import { errorOfFailure } from '../connection/failure.ts';
import { awaitTopic } from '../connection/known-topic.ts';
import { GroupLine } from '../consumer/group-line.ts';
import { addressOf } from '../metadata/broker-rotation.ts';
import { type ReadStart, resolveStart } from '../reader/start-offsets.ts';
import type { CallLimits } from './admin-calls.ts';

export interface GroupSummaryInfo {
  readonly group: string;
  /** `empty`, `reconciling` or `stable`. */
  readonly state: string;
  readonly members: number;
}

export interface GroupInfo extends Omit<GroupSummaryInfo, 'members'> {
  readonly generation: bigint;
  readonly assignor: string;
  readonly members: readonly GroupMemberInfo[];
  readonly partitions: readonly GroupPartitionInfo[];
}

export interface GroupMemberInfo {
  readonly member: string;
  readonly instance: string;
  readonly clientHost: string;
  /** What it holds, as `topic/partition`. */
  readonly held: readonly string[];
  /** What it is to hold in the end. */
  readonly target: readonly string[];
}

/** One partition of a group. Undefined: nothing was committed, or not known to the coordinator. */
export interface GroupPartitionInfo {
  readonly topic: string;
  readonly partition: number;
  readonly member: string;
  readonly committed: bigint | undefined;
  readonly highWatermark: bigint | undefined;
  readonly lagRecords: bigint | undefined;
  /** Of the batches that hold the records that are left. */
  readonly lagBytes: number | undefined;
  /** How long the first record that is left has been waiting. */
  readonly lagMs: number | undefined;
}

/** Where a group is to go on in one topic. */
export interface GroupReset {
  readonly topic: string;
  /** All of them if absent. */
  readonly partition?: number;
  readonly to: ReadStart;
  /** Says what would be done, and does nothing. */
  readonly dryRun?: boolean;
}

/** What a reset does to one partition. */
export interface GroupResetStep {
  readonly topic: string;
  readonly partition: number;
  readonly from: bigint | undefined;
  readonly to: bigint;
}

const timeoutMsDefault = 30_000;

export class GroupAdmin {
  readonly #parts: ClientParts;

  constructor(parts: ClientParts) {
    this.#parts = parts;
  }

  /** All groups: every broker tells of those that it coordinates. */
  async list(limits: CallLimits = {}): Promise<GroupSummaryInfo[]> {
    const { calls, metadata } = this.#parts;
    const brokers = [...metadata.view.brokers.values()].filter((broker) => !broker.fenced);
    const lists = await Promise.all(
      brokers.map((broker) =>
        calls.call(groupService.listGroups, {}, limits, () => addressOf(broker)),
      ),
    );
    const groups = new Map(lists.flatMap(({ groups }) => groups).map((one) => [one.group, one]));
    return [...groups.values()].sort((a, b) => (a.group < b.group ? -1 : 1));
  }

  async describe(group: string, limits: CallLimits = {}): Promise<GroupInfo> {
    return groupInfo(
      await this.#call(group, limits, (line, ms) =>
        line.call(groupService.describeGroup, { group }, ms),
      ),
    );
  }

  /** Deletes a group without members, with its offsets. */
  async delete(group: string, limits: CallLimits = {}): Promise<void> {
    await this.#call(group, limits, (line, ms) =>
      line.call(groupService.deleteGroup, { group }, ms),
    );
  }

  /** Moves the committed offsets of a group without members; returns what was, or would be, moved. */
  async reset(
    group: string,
    reset: GroupReset,
    limits: CallLimits = {},
  ): Promise<GroupResetStep[]> {
    const { signal = new AbortController().signal } = limits;
    await awaitTopic(this.#parts, reset.topic, signal);
    const topic = this.#parts.metadata.view.topicsByName.get(reset.topic);
    if (topic === undefined) throw invalidRequest(`no topic ${reset.topic}`);
    const numbers =
      reset.partition === undefined
        ? topic.partitions.map((_, index) => index)
        : [checkedPartition(reset.partition)];
    const places = await Promise.all(
      numbers.map(async (number) => {
        const partition = partitionNumber(number);
        const target = { parts: this.#parts, topic, partition, signal };
        return { partition, start: await resolveStart(target, reset.to) };
      }),
    );
    return this.#call(group, limits, async (line, ms) => {
      const request = { group, generation: 0, partitions: [] };
      const { offsets } = await line.call(groupService.fetchOffsets, request, ms);
      const before = new Map(
        offsets
          .filter((one) => one.topicId === topic.topicId)
          .map((one) => [one.partition, one.position?.offset]),
      );
      if (reset.dryRun !== true) {
        const { results } = await line.call(
          groupService.commitOffsets,
          {
            group,
            member: '',
            generation: 0,
            offsets: places.map(({ partition, start }) => ({
              topicId: topic.topicId,
              topic: '',
              partition,
              position: { offset: start.offset, leaderEpoch: start.epoch ?? leaderEpoch(0) },
              note: '',
            })),
          },
          ms,
        );
        const failed = results.find((result) => result.failure !== undefined)?.failure;
        if (failed !== undefined) throw errorOfFailure(failed);
      }
      return places.map(({ partition, start }) => ({
        topic: topic.name,
        partition,
        from: wide(before.get(partition)),
        to: BigInt(start.offset),
      }));
    });
  }

  async #call<Answer>(
    group: string,
    limits: CallLimits,
    ask: (line: GroupLine, timeoutMs: number) => Promise<Answer>,
  ): Promise<Answer> {
    const { signal = new AbortController().signal, timeoutMs = timeoutMsDefault } = limits;
    const line = new GroupLine(this.#parts, group, signal);
    try {
      return await ask(line, timeoutMs);
    } finally {
      line.close();
    }
  }
}

function groupInfo(response: DescribeGroupResponse): GroupInfo {
  const { group, state, generation, assignor, members, lags } = response;
  return {
    group,
    state,
    generation: BigInt(generation),
    assignor,
    members: members.map(({ member, instance, clientHost, owned, assigned }) => ({
      member,
      instance,
      clientHost,
      held: names(owned),
      target: names(assigned),
    })),
    partitions: lags.map(partitionInfo),
  };
}

function partitionInfo(lag: GroupLag): GroupPartitionInfo {
  const { topic, topicId, partition, member, lagMs } = lag;
  return {
    topic: topic === '' ? topicId : topic,
    partition,
    member,
    committed: wide(lag.committedOffset),
    highWatermark: wide(lag.highWatermark),
    lagRecords: wide(lag.lagRecords),
    lagBytes: lag.lagBytes,
    lagMs,
  };
}

function names(parts: readonly TopicPartitions[]): string[] {
  return parts.flatMap(({ topic, partitions }) => partitions.map((one) => `${topic}/${one}`));
}

function wide(value: number | undefined): bigint | undefined {
  return value === undefined ? undefined : BigInt(value);
}
