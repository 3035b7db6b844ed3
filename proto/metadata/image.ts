/**
 * The cluster as of one revision: the immutable fold of all committed facts.
 *
 * Broker, controller and client decide from an image and never change one. Two images share all that
 * did not change between them, so that keeping several, and comparing them, costs little.
 */
import type {
  BrokerIntent,
  BrokerRegistered,
  PartitionState,
  RequestDone,
  Voter,
} from '../generated/highwater/metadata/v1/records.ts';
import type { PartitionNumber } from '../model/ids.ts';
import {
  type ClusterId,
  type NodeId,
  type ProducerId,
  producerId,
  type TopicId,
} from '../model/ids.ts';
import { type BrokerEpoch, type Revision, revision } from '../model/offset.ts';
import type { TopicSettings } from '../model/topic-settings.ts';
import { PersistentMap } from './persistent-map.ts';
import { topicNameFolded } from './topic-name.ts';

export interface MetadataImage {
  /** The quorum index up to which this is folded; never goes back. */
  readonly revision: Revision;
  /** Undefined before the cluster is formed. */
  readonly clusterId: ClusterId | undefined;
  readonly featureLevel: number;
  readonly voters: readonly Voter[];
  readonly brokers: PersistentMap<NodeId, BrokerImage>;
  readonly topics: PersistentMap<TopicId, TopicImage>;
  /** The same topics by folded name; names are never identity (rule B2.12). */
  readonly topicIds: PersistentMap<string, TopicId>;
  /** What each broker holds; a broker without replicas is absent. */
  readonly hosting: PersistentMap<NodeId, Hosting>;
  readonly partitionCount: number;
  /** Partitions without a leader: each has an open round. */
  readonly leaderlessCount: number;
  /** All below were given out in blocks (rule B6.1). */
  readonly nextProducerId: ProducerId;
  readonly requests: RequestMemory;
}

/** One registered broker: its latest incarnation. */
export interface BrokerImage
  extends Omit<BrokerRegistered, 'storedEpoch' | 'brokerEpoch' | 'storageStamp'> {
  /** The revision of its registration; unique and growing (rule B3.9). */
  readonly brokerEpoch: BrokerEpoch;
  /** The last epoch that its directory is known to hold: that of its last unfenced incarnation. */
  readonly storedEpoch: BrokerEpoch | undefined;
  /** The last stamp that its directory is known to hold; never goes back for the same storage. */
  readonly storageStamp: number;
  /** `stopping`: serves, moves its leaderships away, joins no in-sync set. */
  readonly state: 'fenced' | 'active' | 'stopping';
  /** What the operator wants; outlives the incarnation. */
  readonly intent: BrokerIntent;
}

export interface TopicImage {
  readonly topicId: TopicId;
  readonly name: string;
  readonly isInternal: boolean;
  /** Settings that differ from the defaults, as texts. */
  readonly config: ReadonlyMap<string, string>;
  /** All settings, with types. */
  readonly settings: TopicSettings;
  readonly partitions: PersistentMap<PartitionNumber, PartitionState>;
}

/** Index of the partitions by broker. */
export interface Hosting {
  readonly replicas: number;
  readonly leaders: number;
  /** Partitions with a replica here, for each topic. */
  readonly topics: PersistentMap<TopicId, number>;
}

/** Answers of applied changes, so that a retry is answered as the first time (rule 6.13). */
export interface RequestMemory {
  readonly byId: PersistentMap<string, RememberedRequest>;
  /** The same in order of commitment, by a counter. */
  readonly order: PersistentMap<number, string>;
  readonly first: number;
  readonly next: number;
}

export interface RememberedRequest {
  readonly answer: RequestDone['answer'];
  readonly revision: Revision;
}

/** Before anything was committed. */
export const emptyImage: MetadataImage = Object.freeze({
  revision: revision(0),
  clusterId: undefined,
  featureLevel: 0,
  voters: [],
  brokers: PersistentMap.empty<NodeId, BrokerImage>(),
  topics: PersistentMap.empty<TopicId, TopicImage>(),
  topicIds: PersistentMap.empty<string, TopicId>(),
  hosting: PersistentMap.empty<NodeId, Hosting>(),
  partitionCount: 0,
  leaderlessCount: 0,
  nextProducerId: producerId(0),
  requests: {
    byId: PersistentMap.empty<string, RememberedRequest>(),
    order: PersistentMap.empty<number, string>(),
    first: 0,
    next: 0,
  },
});

/** The topic of this name. */
export function topicNamed(image: MetadataImage, name: string): TopicImage | undefined {
  const topic = topicLike(image, name);
  return topic?.name === name ? topic : undefined;
}

/** The topic whose name is this one, or cannot be told from it in metrics. */
export function topicLike(image: MetadataImage, name: string): TopicImage | undefined {
  const topicId = image.topicIds.get(topicNameFolded(name));
  return topicId === undefined ? undefined : image.topics.get(topicId);
}

/** One partition of one topic. */
export function partitionOf(
  image: MetadataImage,
  topicId: TopicId,
  partition: PartitionNumber,
): PartitionState | undefined {
  return image.topics.get(topicId)?.partitions.get(partition);
}

/** A partition with the topic that it belongs to. */
export interface HostedPartition {
  readonly topic: TopicImage;
  readonly partition: PartitionState;
}

/** Every partition with a replica on the broker, in the order of the maps. */
export function partitionsOn(image: MetadataImage, nodeId: NodeId): HostedPartition[] {
  const hosted: HostedPartition[] = [];
  image.hosting.get(nodeId)?.topics.forEach((_, topicId) => {
    const topic = image.topics.get(topicId);
    topic?.partitions.forEach((partition) => {
      if (partition.replicas.includes(nodeId)) hosted.push({ topic, partition });
    });
  });
  return hosted;
}
