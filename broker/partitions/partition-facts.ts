/** From the metadata image to what one replica and its log want to know. */
import type { PartitionState } from '../../proto/generated/highwater/metadata/v1/records.ts';
import { mayJoinIsr } from '../../proto/metadata/eligibility.ts';
import type { MetadataImage, TopicImage } from '../../proto/metadata/image.ts';
import { minimumOf, semiSyncWanted } from '../../proto/metadata/partition-fault.ts';
import type { NodeId } from '../../proto/model/ids.ts';
import { brokerEpoch } from '../../proto/model/offset.ts';
import { defaultLogConfig, type LogConfig } from '../log/log-config.ts';
import type { PartitionMetadata, ReplicaMetadata } from '../replication/core/metadata.ts';

/** What is committed about a partition, as the replica's core takes it. */
export function partitionMetadata(
  image: MetadataImage,
  topic: TopicImage,
  state: PartitionState,
): PartitionMetadata {
  const { settings } = topic;
  return {
    leader: state.leader,
    leaderEpoch: state.leaderEpoch,
    partitionEpoch: state.partitionEpoch,
    replicas: state.replicas.map((node) => replicaMetadata(image, state, node)),
    isr: state.isr,
    semiSyncMembers: state.semiSyncMembers,
    semiSyncReplicas: state.semiSyncReplicas,
    uncleanEpoch: state.uncleanEpoch,
    settings: {
      minInsyncReplicas: minimumOf(topic, state),
      semiSyncReplicas: semiSyncWanted(topic, state),
      semiSyncTimeoutMs: settings.semiSyncTimeoutMs,
      semiSyncOnTimeout: settings.semiSyncOnTimeout,
      lagTimeMaxMs: settings.lagTimeMaxMs,
      isCompacted: settings.compacts,
    },
  };
}

/** A broker that is not registered has no incarnation that could be proposed. */
function replicaMetadata(
  image: MetadataImage,
  state: PartitionState,
  node: NodeId,
): ReplicaMetadata {
  const broker = image.brokers.get(node);
  return {
    nodeId: node,
    brokerEpoch: broker?.brokerEpoch ?? brokerEpoch(0),
    isEligible: mayJoinIsr(image, state, node),
  };
}

/** True if replicas have to be told of the brokers anew; not of their storage stamps, which change all the time. */
export function brokersDiffer(before: MetadataImage, after: MetadataImage): boolean {
  return after.brokers
    .changesSince(before.brokers)
    .some(
      ({ before: was, after: is }) =>
        was?.state !== is?.state || was?.brokerEpoch !== is?.brokerEpoch,
    );
}

/** The settings that a topic's logs obey. */
export function logConfigOf(topic: TopicImage | undefined): LogConfig {
  if (topic === undefined) return defaultLogConfig;
  const { settings } = topic;
  return {
    ...defaultLogConfig,
    flush: settings.flush,
    segmentBytes: settings.segmentBytes,
    segmentMs: settings.segmentMs,
    retentionMs: (settings.deletes ? settings.retentionMs : undefined) ?? -1,
    retentionBytes: (settings.deletes ? settings.retentionBytes : undefined) ?? -1,
    compaction: settings.compacts
      ? {
          dirtyRatioMin: settings.dirtyRatioMin,
          lagMsMin: settings.minCompactionLagMs,
          deleteRetentionMs: settings.deleteRetentionMs,
        }
      : undefined,
  };
}
