/** Decisions about the cluster as a whole: formation, producer ids, feature level, voters. */
import type { MetadataImage } from '../../../proto/metadata/image.ts';
import { record, type Voter } from '../../../proto/metadata/records.ts';
import {
  type ClusterId,
  type NodeId,
  type ProducerId,
  producerId,
} from '../../../proto/model/ids.ts';
import type { BrokerEpoch } from '../../../proto/model/offset.ts';
import { decided, type Outcome, refused } from './decision.ts';
import { registeredBroker } from './heartbeat.ts';

/** The first change of a cluster. Formed once; a second formation is another cluster's. */
export function decideFormation(
  image: MetadataImage,
  request: {
    readonly clusterId: ClusterId;
    readonly voters: readonly Voter[];
    readonly featureLevel: number;
  },
): Outcome<undefined> {
  if (image.clusterId === request.clusterId) return decided(undefined);
  if (image.clusterId !== undefined) {
    const facts = { clusterId: image.clusterId };
    return refused('CLUSTER_MISMATCH', `this is cluster ${image.clusterId}`, facts);
  }
  const evidence = { voters: request.voters.map(({ nodeId }) => nodeId).join(',') };
  const subject = `cluster ${request.clusterId}`;
  const event = { kind: 'cluster-formed', subject, reason: 'first start', evidence } as const;
  return decided(undefined, [record('clusterFormed', request)], [event]);
}

/** Ids in one block: a broker asks once for so many producers. */
const blockCount = 1000;

/** Gives a block of producer ids to a broker; what a crash leaves unused is never given again (B6.1). */
export function decideProducerIds(
  image: MetadataImage,
  request: { readonly nodeId: NodeId; readonly brokerEpoch: BrokerEpoch },
): Outcome<{ readonly first: ProducerId; readonly count: number }> {
  const broker = registeredBroker(image, request);
  if ('code' in broker) return broker;
  const first = image.nextProducerId;
  if (!Number.isSafeInteger(first + blockCount)) {
    return refused('OVERLOADED', 'all producer ids were given out', { next: first });
  }
  const { nodeId } = request;
  const block = { nodeId, first: producerId(first), count: blockCount };
  return decided({ first, count: blockCount }, [record('producerIdsAllocated', block)]);
}

/** Raises the feature level; 0 asks for the highest that every node speaks. Never goes back. */
export function decideFeatureLevel(
  image: MetadataImage,
  level: number,
  controllerMax: number,
): Outcome<{ readonly level: number }> {
  let to = controllerMax;
  let slowest = 'the controllers';
  for (const { nodeId, featureMax } of image.brokers.values()) {
    if (featureMax >= to) continue;
    to = featureMax;
    slowest = `broker ${nodeId}`;
  }
  const wanted = level === 0 ? Math.max(to, image.featureLevel) : level;
  if (wanted === image.featureLevel) return decided({ level: wanted });
  if (!Number.isInteger(wanted) || wanted < image.featureLevel || wanted > to) {
    return refused(
      'UNSUPPORTED_VERSION',
      `feature level ${wanted}; expected ${image.featureLevel} to ${to}, which ${slowest} can speak`,
      { level: wanted, from: image.featureLevel, to },
    );
  }
  const evidence = { before: image.featureLevel, level: wanted };
  const event = {
    kind: 'features-finalised',
    subject: 'cluster',
    reason: 'asked for',
    evidence,
  } as const;
  return decided({ level: wanted }, [record('featureLevelFinalised', { level: wanted })], [event]);
}

/** Notes the members that the quorum has now; the change itself is the quorum's business (B4.7). */
export function decideVoters(
  image: MetadataImage,
  voters: readonly Voter[],
  reason: string,
): Outcome<undefined> {
  const text = (members: readonly Voter[]): string =>
    members
      .map(({ nodeId, storageId, host, port, isLearner }) =>
        [nodeId, storageId, host, port, isLearner ? 'learner' : 'voter'].join(' '),
      )
      .join(', ');
  if (text(voters) === text(image.voters)) return decided(undefined);
  if (!voters.some(({ isLearner }) => !isLearner)) {
    return refused('INVALID_VOTERS', 'a quorum needs at least one voter');
  }
  if (new Set(voters.map(({ nodeId }) => nodeId)).size < voters.length) {
    return refused('INVALID_VOTERS', 'a node is a member of the quorum once');
  }
  const evidence = { before: text(image.voters), voters: text(voters) };
  const event = { kind: 'voters-changed', subject: 'cluster', reason, evidence } as const;
  return decided(undefined, [record('votersChanged', { voters })], [event]);
}
