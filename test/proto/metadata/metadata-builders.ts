import type {
  MetadataRecord,
  PartitionState,
} from '../../../proto/generated/highwater/metadata/v1/records.ts';
import { emptyImage, type MetadataImage } from '../../../proto/metadata/image.ts';
import { record } from '../../../proto/metadata/records.ts';
import { replay } from '../../../proto/metadata/replay.ts';
import {
  clusterId,
  incarnationId,
  type NodeId,
  nodeId,
  partitionNumber,
  storageId,
  topicId,
} from '../../../proto/model/ids.ts';
import { brokerEpoch, leaderEpoch, partitionEpoch, revision } from '../../../proto/model/offset.ts';

/** A UUID made of a number. */
export function uuid(n: number): string {
  return `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
}

export const theCluster = clusterId(uuid(1));
export const theTopic = topicId(uuid(77));

/** The image after one more change; throws what replay says about a bad one. */
export function after(image: MetadataImage, ...records: MetadataRecord[]): MetadataImage {
  const { image: next, refused } = replay(image, revision(image.revision + 1), records);
  if (refused !== undefined) throw new Error(refused.reason);
  return next;
}

/** What replay says about a change, or undefined. */
export function refusalOf(image: MetadataImage, ...records: MetadataRecord[]): string | undefined {
  return replay(image, revision(image.revision + 1), records).refused?.reason;
}

export function nodes(...ids: number[]): NodeId[] {
  return ids.map(nodeId);
}

export function registered(id: number, incarnation = 1): MetadataRecord {
  return record('brokerRegistered', {
    nodeId: nodeId(id),
    brokerEpoch: brokerEpoch(0),
    incarnationId: incarnationId(uuid(id * 1000 + incarnation)),
    storageId: storageId(uuid(id)),
    storageStamp: 0,
    rack: `rack-${id}`,
    host: 'localhost',
    port: 9000 + id,
    peerHost: 'localhost',
    peerPort: 9100 + id,
    featureMin: 1,
    featureMax: 1,
  });
}

/** A formed cluster with these brokers, active. */
export function clusterOf(...ids: number[]): MetadataImage {
  let image = after(
    emptyImage,
    record('clusterFormed', { clusterId: theCluster, voters: [], featureLevel: 1 }),
  );
  for (const id of ids) {
    image = after(image, registered(id));
    const epoch = brokerEpoch(image.revision);
    image = after(image, record('brokerUnfenced', { nodeId: nodeId(id), brokerEpoch: epoch }));
  }
  return image;
}

/** A partition led by its first replica, all in sync. */
export function state(replicas: number[], change: Partial<PartitionState> = {}): PartitionState {
  return {
    partition: partitionNumber(0),
    leader: nodeId(replicas[0] ?? 1),
    leaderEpoch: leaderEpoch(1),
    partitionEpoch: partitionEpoch(1),
    replicas: nodes(...replicas),
    isr: nodes(...replicas),
    elr: [],
    lastKnownElr: [],
    semiSyncMembers: [],
    semiSyncReplicas: 0,
    adding: [],
    removing: [],
    suspects: [],
    roundPurpose: 'unspecified',
    ...change,
  };
}

export function topicWith(...partitions: PartitionState[]): MetadataRecord {
  return record('topicCreated', {
    topicId: theTopic,
    name: 'orders',
    isInternal: false,
    config: new Map(),
    partitions,
  });
}
