/** Topics: create, delete, add partitions. Settings are in `topic-config.ts`. */
import type { MetadataImage, TopicImage } from '../../../proto/metadata/image.ts';
import { minimumOf } from '../../../proto/metadata/partition-fault.ts';
import { type PartitionState, record } from '../../../proto/metadata/records.ts';
import { type NodeId, partitionNumber, type TopicId } from '../../../proto/model/ids.ts';
import { leaderEpoch, partitionEpoch } from '../../../proto/model/offset.ts';
import { readTopicSettings } from '../../../proto/model/topic-settings.ts';
import { decided, type Outcome, type Refused, refused } from './decision.ts';
import { findAlterableTopic } from './lookup.ts';
import { placeableBrokers, placeReplicas } from './placement.ts';
import {
  assignmentFault,
  configFault,
  countFault,
  factorFault,
  nameFault,
} from './topic-checks.ts';

export interface CreateTopic {
  readonly name: string;
  /** Undefined: 1, or as the assignment says. */
  readonly partitions: number | undefined;
  /** Undefined: 3, or as many as there are brokers. */
  readonly replicationFactor: number | undefined;
  readonly config: ReadonlyMap<string, string>;
  /** Explicit placement, one entry for each partition; empty: the brokers are chosen. */
  readonly assignment: readonly (readonly NodeId[])[];
  readonly validateOnly: boolean;
  readonly isInternal: boolean;
}

/** Values that a core cannot draw. */
export interface TopicChance {
  /** Identity of the topic if it is created. */
  readonly topicId: TopicId;
  /** In [0, 1). */
  readonly random: number;
}

/** Decides the creation of a topic. */
export function decideCreateTopic(
  image: MetadataImage,
  request: CreateTopic,
  chance: TopicChance,
): Outcome<{ readonly topicId: TopicId }> {
  const { name, config, isInternal } = request;
  const { topicId } = chance;
  const shape = shapeOf(image, request);
  if ('code' in shape) return shape;
  const fault = nameFault(image, name, isInternal) ?? configFault(config, shape.replicationFactor);
  if (fault !== undefined) return fault;
  if (request.validateOnly) return decided({ topicId });
  const placed =
    request.assignment.length > 0
      ? request.assignment
      : placeReplicas(image, { ...shape, existing: [], random: chance.random });
  const settings = readTopicSettings(config);
  const partitions = placed.map((replicas, i) => freshPartition(image, { settings }, i, replicas));
  const event = {
    kind: 'topic-created',
    subject: name,
    reason: 'asked for',
    evidence: { topicId, ...shape, settings: [...config].map((one) => one.join('=')).join(' ') },
  } as const;
  const created = record('topicCreated', { topicId, name, isInternal, config, partitions });
  return decided({ topicId }, [created], [event]);
}

/** Decides the deletion of a topic; its data goes because of this record alone (rule 6.14). */
export function decideDeleteTopic(image: MetadataImage, name: string): Outcome<undefined> {
  const topic = findAlterableTopic(image, name);
  if ('code' in topic) return topic;
  const { topicId } = topic;
  const evidence = { topicId, partitions: topic.partitions.size };
  const event = { kind: 'topic-deleted', subject: name, reason: 'asked for', evidence } as const;
  return decided(undefined, [record('topicDeleted', { topicId })], [event]);
}

/** Decides more partitions for a topic; `total` is their number afterwards. */
export function decideAddPartitions(
  image: MetadataImage,
  request: { readonly name: string; readonly total: number },
  random: number,
): Outcome<undefined> {
  const topic = findAlterableTopic(image, request.name);
  if ('code' in topic) return topic;
  const present = topic.partitions.size;
  const first = topic.partitions.get(partitionNumber(0));
  const replicationFactor = first === undefined ? 1 : first.replicas.length - first.adding.length;
  const fault = countFault(request.total, present + 1) ?? factorFault(image, replicationFactor);
  if (fault !== undefined) return fault;
  const placed = placeReplicas(image, {
    partitions: request.total - present,
    replicationFactor,
    existing: topic.partitions.values(),
    random,
  });
  const partitions = placed.map((replicas, i) =>
    freshPartition(image, topic, present + i, replicas),
  );
  const { topicId } = topic;
  const evidence = { from: present, to: request.total };
  const event = {
    kind: 'partitions-added',
    subject: request.name,
    reason: 'asked for',
    evidence,
  } as const;
  return decided(undefined, [record('partitionsAdded', { topicId, partitions })], [event]);
}

interface Shape {
  readonly partitions: number;
  readonly replicationFactor: number;
}

function shapeOf(image: MetadataImage, request: CreateTopic): Shape | Refused {
  const { assignment } = request;
  const [first] = assignment;
  if (first !== undefined) {
    const fault = countFault(assignment.length, 1) ?? assignmentFault(image, assignment);
    if (fault !== undefined) return fault;
    const shape = { partitions: assignment.length, replicationFactor: first.length };
    if ((request.partitions ?? shape.partitions) !== shape.partitions) {
      return refused(
        'INVALID_PARTITIONS',
        `${request.partitions} partitions and ${shape.partitions} replica lists`,
      );
    }
    const isOther = (request.replicationFactor ?? first.length) !== first.length;
    if (!isOther) return shape;
    return refused(
      'INVALID_REPLICATION_FACTOR',
      `replication factor ${request.replicationFactor} and replica lists of ${first.length}`,
    );
  }
  const partitions = request.partitions ?? 1;
  const brokers = placeableBrokers(image).length;
  const replicationFactor = request.replicationFactor ?? Math.max(1, Math.min(3, brokers));
  const fault = countFault(partitions, 1) ?? factorFault(image, replicationFactor);
  return fault ?? { partitions, replicationFactor };
}

/**
 * Empty everywhere, so the first serving replica leads without a round. Below the minimum in sync nothing
 * will be committed: whoever does not serve yet lacks nothing and is eligible (rule B3.7).
 */
function freshPartition(
  image: Pick<MetadataImage, 'brokers'>,
  topic: Pick<TopicImage, 'settings'>,
  number: number,
  replicas: readonly NodeId[],
): PartitionState {
  const isr = replicas.filter((node) => image.brokers.get(node)?.state === 'active');
  const state: PartitionState = {
    partition: partitionNumber(number),
    leader: isr[0],
    leaderEpoch: leaderEpoch(1),
    partitionEpoch: partitionEpoch(1),
    replicas,
    isr,
    elr: [],
    lastKnownElr: [],
    semiSyncMembers: [],
    semiSyncReplicas: 0,
    adding: [],
    removing: [],
    suspects: [],
    roundPurpose: 'unspecified',
  };
  if (isr.length >= minimumOf(topic, state)) return state;
  return { ...state, elr: replicas.filter((node) => !isr.includes(node)) };
}
