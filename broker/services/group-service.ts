/**
 * Consumer groups on the wire. A member's stream is its life; everything else is one question and one
 * answer, given by the broker that coordinates the group.
 */
import {
  type CommitOffsetsRequest,
  type CommitOffsetsResponse,
  type DescribeGroupResponse,
  type FetchOffsetsRequest,
  type FetchOffsetsResponse,
  groupService,
  type OffsetCommitResult,
} from '../../proto/generated/highwater/v1/group.ts';
import type { MetadataImage } from '../../proto/metadata/image.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import type { TopicId } from '../../proto/model/ids.ts';
import type { Clock } from '../../proto/ports/clock.ts';
import type { RpcCallContext, RpcRegistry } from '../../proto/ports/rpc.ts';
import type { Authorizer, Operation } from '../access/authorizer.ts';
import { type GroupState, type PartitionKey, phaseOf, placeOf } from '../group/core/group-state.ts';
import type { GroupCoordinator } from '../group/group-coordinator.ts';
import { keyNamed, lagFacts, lagsOf } from '../group/group-lag.ts';
import type { PartitionDriver } from '../replication/partition-driver.ts';
import { checkClientName } from './client-name.ts';
import { failureOf } from './failure.ts';
import { MemberStream, topicPartitionsOf } from './member-stream.ts';

export interface GroupServiceOptions {
  readonly coordinator: GroupCoordinator;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly image: () => MetadataImage;
  /** The replica of a partition, if it is here: lags are measured on it. */
  readonly find: (topicId: TopicId, partition: number) => PartitionDriver | undefined;
}

/** Registers every method of the group service. */
export function registerGroups(registry: RpcRegistry, options: GroupServiceOptions): void {
  const { coordinator, authorizer } = options;
  const allowed = (context: RpcCallContext, operation: Operation, group: string): void => {
    checkClientName('group name', group, 1);
    authorizer.authorize(authorizer.principalOf(context), operation, {
      kind: 'group',
      name: group,
    });
  };
  registry.unary(groupService.findCoordinator, async ({ group }, context) => {
    allowed(context, 'read', group);
    return coordinator.find(group);
  });
  registry.stream(
    groupService.join,
    (stream, context) =>
      new MemberStream(stream, { ...options, allow: (group) => allowed(context, 'consume', group) })
        .handlers,
  );
  registry.unary(groupService.commitOffsets, async (request, context) => {
    allowed(context, 'consume', request.group);
    return commitOffsets(options, request);
  });
  registry.unary(groupService.fetchOffsets, async (request, context) => {
    allowed(context, 'read', request.group);
    return fetchOffsets(options, request);
  });
  registry.unary(groupService.listGroups, async (_request, context) => {
    authorizer.authorize(authorizer.principalOf(context), 'read', { kind: 'cluster' });
    const lists = await Promise.all(
      Array.from(coordinator.shards(), (shard) =>
        shard.readAll((state) => ({
          group: state.group,
          state: phaseOf(state),
          members: state.members.size,
        })),
      ),
    );
    return { groups: lists.flat().sort((a, b) => (a.group < b.group ? -1 : 1)) };
  });
  registry.unary(groupService.describeGroup, async ({ group }, context) => {
    allowed(context, 'read', group);
    return describeGroup(options, group);
  });
  registry.unary(groupService.deleteGroup, async ({ group }, context) => {
    allowed(context, 'consume', group);
    await coordinator.shardOf(group).delete(group);
    return {};
  });
}

async function commitOffsets(
  { coordinator, clock, image }: GroupServiceOptions,
  request: CommitOffsetsRequest,
): Promise<CommitOffsetsResponse> {
  const { group, member, generation } = request;
  const results: OffsetCommitResult[] = [];
  const offsets = request.offsets.flatMap((one, index) => {
    const { topicId, partition } = one;
    const key = keyNamed(image(), one);
    if (key === undefined || one.position === undefined) {
      const code = key === undefined ? 'UNKNOWN_TOPIC' : 'INVALID_REQUEST';
      results[index] = { topicId, partition, failure: failureOf(code) };
      return [];
    }
    const note = one.note.slice(0, noteLengthMax);
    return [
      { index, partition: key, ...one.position, note, committedAtMs: Math.max(0, clock.wall()) },
    ];
  });
  const refusals = await coordinator.shardOf(group).commit(group, { member, generation, offsets });
  offsets.forEach(({ index, partition: key }, at) => {
    const code = refusals[at];
    results[index] = {
      ...placeOf(key),
      ...(code === undefined ? {} : { failure: failureOf(code) }),
    };
  });
  return { results };
}

/** Longer notes are cut: they are for people. */
const noteLengthMax = 4_096;

async function fetchOffsets(
  { coordinator, image }: GroupServiceOptions,
  request: FetchOffsetsRequest,
): Promise<FetchOffsetsResponse> {
  const { group, generation } = request;
  const wanted = request.partitions.flatMap(({ topicId, topic, partitions }) =>
    partitions.flatMap((partition) => keyNamed(image(), { topicId, topic, partition }) ?? []),
  );
  const offsets = await coordinator.shardOf(group).read(group, (state) => {
    if (generation > (state?.generation ?? 0)) {
      throw new HighwaterError('NOT_COORDINATOR', 'a later coordinator has taken over this group', {
        facts: { generation: state?.generation ?? 0 },
      });
    }
    const keys = request.partitions.length === 0 ? [...(state?.offsets.keys() ?? [])] : wanted;
    return keys.flatMap((key) => offsetOf(image(), state, key));
  });
  return { offsets };
}

function offsetOf(image: MetadataImage, state: GroupState | undefined, key: PartitionKey) {
  const found = state?.offsets.get(key);
  if (found === undefined) return [];
  const { offset, leaderEpoch, note } = found;
  const { topicId, partition } = placeOf(key);
  const topic = image.topics.get(topicId)?.name ?? '';
  return [{ topicId, topic, partition, position: { offset, leaderEpoch }, note }];
}

async function describeGroup(
  { coordinator, image, clock, find }: GroupServiceOptions,
  group: string,
): Promise<DescribeGroupResponse> {
  const described = await coordinator.shardOf(group).read(group, (state) => {
    if (state === undefined) return undefined;
    const { generation, assignor } = state;
    const members = Array.from(state.members.values(), (member) => ({
      member: member.member,
      instance: member.instance,
      clientHost: member.clientHost,
      assigned: topicPartitionsOf(image(), member.target),
      owned: topicPartitionsOf(image(), member.held.keys()),
    }));
    const facts = lagFacts(state, image());
    return { state: phaseOf(state), generation, assignor, members, facts };
  });
  if (described === undefined)
    throw new HighwaterError('UNKNOWN_GROUP', `no group ${JSON.stringify(group)}`);
  const { facts, ...rest } = described;
  const lags = await lagsOf(facts, image(), find, clock.wall());
  return { group, ...rest, lags };
}
