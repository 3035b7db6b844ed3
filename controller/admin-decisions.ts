/** Every administrative change: which RPC it is, which decision it takes, what it answers. */
import { adminService } from '../proto/generated/highwater/v1/admin.ts';
import { isSystemTopic } from '../proto/metadata/topic-name.ts';
import { topicId } from '../proto/model/ids.ts';
import { leaderEpoch, offset } from '../proto/model/offset.ts';
import type { Random } from '../proto/ports/random.ts';
import { decideFeatureLevel } from './cluster/core/cluster-facts.ts';
import { decideIntent } from './cluster/core/intents.ts';
import { decideElectLeader } from './cluster/core/operator-election.ts';
import { decideReassignment } from './cluster/core/reassignment.ts';
import type { RoundsState } from './cluster/core/rounds.ts';
import { decideAlterTopic } from './cluster/core/topic-config.ts';
import {
  decideAddPartitions,
  decideCreateTopic,
  decideDeleteTopic,
} from './cluster/core/topics.ts';
import { type AdminDecisions, type ForwardedChange, forwarded } from './forwarded-changes.ts';

export interface AdminDecisionsOptions {
  readonly rounds: RoundsState;
  readonly random: Random;
  /** The highest feature level that this version speaks. */
  readonly featureMax: number;
}

/** The table of the active controller. */
export function adminDecisions(options: AdminDecisionsOptions): AdminDecisions {
  const { random } = options;
  const draw = (): number => random.below(2 ** 31) / 2 ** 31;
  return new Map([
    forwarded(
      adminService.createTopic,
      (image, request) =>
        decideCreateTopic(
          image,
          {
            ...request,
            partitions: request.partitions === 0 ? undefined : request.partitions,
            replicationFactor:
              request.replicationFactor === 0 ? undefined : request.replicationFactor,
            assignment: request.assignment.map((list) => list.replicas),
            // Brokers pass on no client's request for such a name.
            isInternal: isSystemTopic(request.name),
          },
          { topicId: topicId(random.uuid()), random: draw() },
        ),
      (created) => created,
    ),
    forwarded(
      adminService.deleteTopic,
      (image, request) => decideDeleteTopic(image, request.name),
      nothing,
    ),
    forwarded(
      adminService.alterTopic,
      (image, request) => decideAlterTopic(image, request),
      nothing,
    ),
    forwarded(
      adminService.addPartitions,
      (image, request) =>
        decideAddPartitions(image, { name: request.name, total: request.partitions }, draw()),
      nothing,
    ),
    ...clusterDecisions(options),
  ]);
}

function clusterDecisions({
  rounds,
  featureMax,
}: AdminDecisionsOptions): (readonly [string, ForwardedChange])[] {
  return [
    forwarded(
      adminService.drainBroker,
      (image, request) => decideIntent(image, request.nodeId, request.undo ? 'serve' : 'drain'),
      ({ leadersLeft }) => ({ leadersLeft }),
    ),
    forwarded(
      adminService.removeBroker,
      (image, request) => decideIntent(image, request.nodeId, 'remove'),
      ({ replicasLeft }) => ({ replicasLeft }),
    ),
    forwarded(
      adminService.electLeader,
      (image, request) => decideElectLeader(image, rounds, request),
      (previews) => ({
        candidates: previews.map((one) => ({
          ...one,
          verifiedEpoch: leaderEpoch(one.verifiedEpoch),
          storedEnd: offset(one.storedEnd),
        })),
      }),
    ),
    forwarded(
      adminService.reassignPartition,
      (image, request) => decideReassignment(image, request),
      nothing,
    ),
    forwarded(
      adminService.finaliseFeatures,
      (image, request) => decideFeatureLevel(image, request.level, featureMax),
      ({ level }) => ({ level }),
    ),
  ];
}

/** The answer of a change that has nothing to say but its revision. */
function nothing(): Record<string, never> {
  return {};
}
