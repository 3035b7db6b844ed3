/** The state of the cluster in figures, counted from the image. */
import type {
  BrokerDescription,
  DescribeClusterResponse,
} from '../../proto/generated/highwater/v1/admin.ts';
import type { BrokerImage, MetadataImage } from '../../proto/metadata/image.ts';
import { minInsyncReplicasOf } from '../../proto/model/topic-settings.ts';
import type { MetadataSource } from './metadata-source.ts';

/** Brokers, voters and the health of all partitions. */
export function describeCluster(source: MetadataSource): DescribeClusterResponse {
  const { image, activeController } = source;
  return {
    clusterId: image.clusterId ?? '',
    revision: image.revision,
    controller: activeController,
    term: source.term,
    brokers: Array.from(image.brokers.values(), (broker) => describeBroker(image, broker)),
    voters: image.voters.map(({ nodeId, host, port, storageId, isLearner }) => ({
      nodeId,
      address: `${host}:${port}`,
      storageId,
      isActive: nodeId === activeController,
      isLearner,
    })),
    featureLevel: image.featureLevel,
    partitions: image.partitionCount,
    offlinePartitions: image.leaderlessCount,
    ...countHealth(image),
  };
}

function describeBroker(image: MetadataImage, broker: BrokerImage): BrokerDescription {
  const { nodeId, host, port, rack, state, intent, brokerEpoch } = broker;
  const hosting = image.hosting.get(nodeId);
  const wanted = intent === 'serve' ? state : `${state}, ${intent}`;
  return {
    nodeId,
    address: `${host}:${port}`,
    rack,
    state: wanted,
    brokerEpoch,
    leaders: hosting?.leaders ?? 0,
    replicas: hosting?.replicas ?? 0,
  };
}

function countHealth(image: MetadataImage): {
  underReplicatedPartitions: number;
  underMinIsrPartitions: number;
} {
  let underReplicatedPartitions = 0;
  let underMinIsrPartitions = 0;
  for (const topic of image.topics.values()) {
    for (const { isr, replicas } of topic.partitions.values()) {
      if (isr.length < replicas.length) underReplicatedPartitions++;
      if (isr.length < minInsyncReplicasOf(topic.settings, replicas.length))
        underMinIsrPartitions++;
    }
  }
  return { underReplicatedPartitions, underMinIsrPartitions };
}
