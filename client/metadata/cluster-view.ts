/**
 * What a client knows of the cluster: a fold of the pushed metadata updates.
 *
 * Invariant (rule B6.9): per partition the leader epoch never goes back, and within an epoch the
 * partition epoch does not, whichever broker an update came from.
 */
import type {
  Broker,
  MetadataUpdate,
  Partition,
  Topic,
} from '../../proto/generated/highwater/v1/metadata.ts';
import type { NodeId, PartitionNumber, TopicId } from '../../proto/model/ids.ts';
import { type Revision, revision } from '../../proto/model/offset.ts';

/** One topic as the client sees it. */
export interface TopicView {
  readonly topicId: TopicId;
  readonly name: string;
  readonly isInternal: boolean;
  /** Dense, by partition number. */
  readonly partitions: readonly Partition[];
  readonly config: ReadonlyMap<string, string>;
}

/** Immutable: each update makes another one that shares what did not change. */
export interface ClusterView {
  readonly clusterId: string;
  readonly revision: Revision;
  readonly brokers: ReadonlyMap<NodeId, Broker>;
  readonly topicsById: ReadonlyMap<TopicId, TopicView>;
  readonly topicsByName: ReadonlyMap<string, TopicView>;
  readonly controller: NodeId | undefined;
}

/** Nothing is known. */
export const emptyView: ClusterView = {
  clusterId: '',
  revision: revision(0),
  brokers: new Map(),
  topicsById: new Map(),
  topicsByName: new Map(),
  controller: undefined,
};

/** The view after an update; the same view if the update is older than what is known. */
export function applyUpdate(view: ClusterView, update: MetadataUpdate): ClusterView {
  if (update.revision < view.revision) return view;
  const brokers = new Map(update.isSnapshot ? [] : view.brokers);
  for (const broker of update.brokers) brokers.set(broker.nodeId, broker);
  for (const node of update.removedBrokers) brokers.delete(node);
  const topicsById = new Map(update.isSnapshot ? [] : view.topicsById);
  for (const id of update.deletedTopics) topicsById.delete(id);
  for (const topic of update.topics) {
    topicsById.set(topic.topicId, mergeTopic(view.topicsById.get(topic.topicId), topic));
  }
  return {
    clusterId: update.clusterId === '' ? view.clusterId : update.clusterId,
    revision: update.revision,
    brokers,
    topicsById,
    topicsByName: new Map(Array.from(topicsById.values(), (topic) => [topic.name, topic])),
    controller: update.controller === undefined ? view.controller : update.controller,
  };
}

/** The leader of a partition, its epoch and where it listens; undefined while there is none. */
export function leaderOf(
  view: ClusterView,
  topicId: TopicId,
  partition: PartitionNumber,
): { readonly broker: Broker; readonly partition: Partition } | undefined {
  const found = view.topicsById.get(topicId)?.partitions[partition];
  if (found?.leader === undefined) return undefined;
  const broker = view.brokers.get(found.leader);
  return broker === undefined ? undefined : { broker, partition: found };
}

function mergeTopic(before: TopicView | undefined, topic: Topic): TopicView {
  const partitions = [...(before?.partitions ?? [])];
  for (const partition of topic.partitions) {
    const known = partitions[partition.partition];
    if (known === undefined || isNewer(partition, known))
      partitions[partition.partition] = partition;
  }
  const { topicId, name, internal, config } = topic;
  return { topicId, name, isInternal: internal, partitions, config };
}

function isNewer(candidate: Partition, known: Partition): boolean {
  if (candidate.leaderEpoch !== known.leaderEpoch) return candidate.leaderEpoch > known.leaderEpoch;
  return candidate.partitionEpoch >= known.partitionEpoch;
}
