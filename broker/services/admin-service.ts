/**
 * Administration through any broker. Changes are passed to the active controller as they came, with a
 * request id, and tried again under the same id until their outcome is known: a change is applied
 * once, and a retry is answered as the first time (rule 6.13). Questions are answered from the image.
 */
import {
  adminService,
  type DeleteRecordsRequest,
  type DeleteRecordsResponse,
  type DescribeClusterResponse,
  type DescribeTopicResponse,
} from '../../proto/generated/highwater/v1/admin.ts';
import { topicNamed } from '../../proto/metadata/image.ts';
import { internalPrefix } from '../../proto/metadata/topic-name.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import type { TopicId } from '../../proto/model/ids.ts';
import { topicSettings } from '../../proto/model/topic-settings.ts';
import type {
  RpcCallContext,
  RpcRegistry,
  UnaryHandler,
  UnaryMethod,
} from '../../proto/ports/rpc.ts';
import type { Authorizer, Principal } from '../access/authorizer.ts';
import type { ControllerForward } from './controller-forward.ts';
import { describeCluster } from './describe-cluster.ts';
import type { HostedPartitions } from './hosted.ts';
import type { MetadataSource } from './metadata-source.ts';
import { measuredProgressOf } from './replica-progress.ts';

export interface AdminServiceOptions {
  readonly source: MetadataSource;
  readonly partitions: HostedPartitions;
  readonly authorizer: Authorizer;
  readonly forward: ControllerForward;
}

/** Registers every method of the admin service that a broker answers. */
export function registerAdmin(registry: RpcRegistry, options: AdminServiceOptions): void {
  const { authorizer, forward } = options;
  const change = <Request extends { readonly requestId: string }, Response>(
    method: UnaryMethod<Request, Response>,
  ): void =>
    registry.unary(method, (request, context) =>
      forward.change(method, request, {
        principal: admin(authorizer, context),
        deadlineMs: context.deadlineMs,
      }),
    );
  registry.unary(adminService.createTopic, async (request, context) => {
    const principal = admin(authorizer, context);
    if (request.name.startsWith(internalPrefix))
      throw new HighwaterError(
        'INVALID_TOPIC',
        `topic name ${request.name}: ${internalPrefix}… is the system's own`,
        { outcome: 'not-written' },
      );
    return forward.change(adminService.createTopic, request, {
      principal,
      deadlineMs: context.deadlineMs,
    });
  });
  change(adminService.deleteTopic);
  change(adminService.alterTopic);
  change(adminService.addPartitions);
  change(adminService.drainBroker);
  change(adminService.removeBroker);
  change(adminService.electLeader);
  change(adminService.reassignPartition);
  change(adminService.changeVoter);
  change(adminService.transferController);
  change(adminService.finaliseFeatures);
  registry.unary(adminService.deleteRecords, (request, context) => {
    admin(authorizer, context);
    return deleteRecords(options, request);
  });
  registry.unary(
    adminService.describeTopic,
    answered((request, context) => {
      authorizer.authorize(authorizer.principalOf(context), 'read', {
        kind: 'topic',
        name: request.name,
      });
      return describeTopic(options, request.name);
    }),
  );
  registry.unary(
    adminService.describeCluster,
    answered((_request, context): DescribeClusterResponse => {
      authorizer.authorize(authorizer.principalOf(context), 'read', { kind: 'cluster' });
      return describeCluster(options.source);
    }),
  );
}

/** A question that changes nothing; what is thrown is the answer too. */
function answered<Request, Response>(
  answer: (request: Request, context: RpcCallContext) => Response | Promise<Response>,
): UnaryHandler<Request, Response> {
  return (request, context) => new Promise((resolve) => resolve(answer(request, context)));
}

function admin(authorizer: Authorizer, context: RpcCallContext): Principal {
  const principal = authorizer.principalOf(context);
  authorizer.authorize(principal, 'admin', { kind: 'cluster' });
  return principal;
}

/** At the leader; the followers are told, and do the same. */
async function deleteRecords(
  { partitions }: AdminServiceOptions,
  request: DeleteRecordsRequest,
): Promise<DeleteRecordsResponse> {
  const { topic, partition, beforeOffset } = request;
  const found = partitions.find({ topicId: noTopicId, topic, partition });
  const isLeader = found.kind === 'hosted' && found.replica.state.role.kind === 'leader';
  if (!isLeader) {
    const facts = partitions.leaderFacts({ topicId: noTopicId, topic, partition });
    throw new HighwaterError('NOT_LEADER', 'records are deleted at the leader of the partition', {
      facts,
    });
  }
  const { watermark } = found.replica;
  if (beforeOffset > watermark) {
    throw new HighwaterError(
      'OFFSET_OUT_OF_RANGE',
      `offset ${beforeOffset}: expected at most the watermark ${watermark}`,
      { facts: { highWatermark: watermark } },
    );
  }
  return { logStartOffset: await found.replica.deleteRecords(beforeOffset) };
}

/** The request names its topic. */
const noTopicId = '' as TopicId;

async function describeTopic(
  { source, partitions }: AdminServiceOptions,
  name: string,
): Promise<DescribeTopicResponse> {
  const topic = topicNamed(source.image, name);
  if (topic === undefined)
    throw new HighwaterError('UNKNOWN_TOPIC', `no topic ${JSON.stringify(name)}`, {
      facts: { topic: name },
    });
  const { topicId } = topic;
  return {
    topicId,
    name,
    partitions: await Promise.all(
      Array.from(topic.partitions.values(), async (state) => {
        const {
          partition,
          leader,
          leaderEpoch,
          partitionEpoch,
          replicas,
          isr,
          elr,
          semiSyncMembers,
        } = state;
        const found = partitions.find({ topicId, topic: name, partition });
        const progress = found.kind === 'hosted' ? await measuredProgressOf(found.replica) : [];
        const waitingFor =
          leader === undefined ? `an election: ${replicas.join(', ')} are asked` : '';
        return {
          partition,
          leader,
          leaderEpoch,
          partitionEpoch,
          replicas,
          isr,
          elr,
          semiSyncMembers,
          progress,
          waitingFor,
        };
      }),
    ),
    settings: topicSettings.map((row) => ({
      name: row.name,
      value: topic.config.get(row.name) ?? row.default ?? '',
      isDefault: !topic.config.has(row.name),
      meaning: row.meaning,
    })),
  };
}
