/** Names of requests to replicas hosted here, and where to go for the others. */
import { type MetadataImage, partitionOf, topicNamed } from '../../proto/metadata/image.ts';
import type { NodeId } from '../../proto/model/ids.ts';
import type { PartitionTable } from '../partitions/partition-table.ts';
import { failureOf } from '../services/failure.ts';
import type { HostedPartition, HostedPartitions, PartitionName } from '../services/hosted.ts';

/** Over the latest image and the table that follows it. */
export function hostedPartitions(
  nodeId: NodeId,
  image: () => MetadataImage,
  table: () => PartitionTable | undefined,
): HostedPartitions {
  const topicOf = (name: PartitionName) =>
    name.topicId.length > 0 ? image().topics.get(name.topicId) : topicNamed(image(), name.topic);
  const leaderFacts = (name: PartitionName): Record<string, string> => {
    const topic = topicOf(name);
    const state =
      topic === undefined ? undefined : partitionOf(image(), topic.topicId, name.partition);
    const facts: Record<string, string> = { revision: String(image().revision) };
    if (state?.leader === undefined) return facts;
    const broker = image().brokers.get(state.leader);
    return {
      ...facts,
      leader: String(state.leader),
      leaderEpoch: String(state.leaderEpoch),
      ...(broker === undefined ? {} : { address: `${broker.host}:${broker.port}` }),
    };
  };
  const missing = (name: PartitionName): HostedPartition => {
    const topic = topicOf(name);
    const facts = leaderFacts(name);
    // Before it has followed the metadata up to its registration, a broker cannot say what there is not.
    if (table() === undefined)
      return { kind: 'failed', failure: failureOf('LEADER_NOT_AVAILABLE', { facts }) };
    const named = name.topic === '' ? name.topicId : name.topic;
    if (topic === undefined)
      return {
        kind: 'failed',
        failure: failureOf('UNKNOWN_TOPIC', {
          message: `no topic ${JSON.stringify(named)}`,
          facts,
        }),
      };
    const state = topic.partitions.get(name.partition);
    if (state === undefined) {
      const message = `${topic.name} has partitions 0 to ${topic.partitions.size - 1}, not ${name.partition}`;
      return { kind: 'failed', failure: failureOf('UNKNOWN_PARTITION', { message, facts }) };
    }
    const isHere = state.replicas.includes(nodeId);
    return {
      kind: 'failed',
      failure: failureOf(isHere ? 'LEADER_NOT_AVAILABLE' : 'NOT_LEADER', { facts }),
    };
  };
  return {
    leaderFacts,
    find(name) {
      const topic = topicOf(name);
      const replica =
        topic === undefined ? undefined : table()?.find(topic.topicId, name.partition);
      if (topic === undefined || replica === undefined) return missing(name);
      return {
        kind: 'hosted',
        topic: {
          topicId: topic.topicId,
          name: topic.name,
          batchBytesMax: topic.settings.maxMessageBytes,
        },
        replica,
      };
    },
  };
}
