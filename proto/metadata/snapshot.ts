/**
 * The records that rebuild an image from nothing, in an order that replay accepts: the cluster, its
 * brokers, then the topics. Yielded piece by piece, so that a large image never exists twice in memory.
 */
import type { MetadataRecord } from '../generated/highwater/metadata/v1/records.ts';
import { producerId } from '../model/ids.ts';
import type { BrokerImage, MetadataImage, TopicImage } from './image.ts';
import { record } from './records.ts';

/** Partitions in one record. */
const chunk = 1000;

/** All records of a snapshot of this image; its revision travels beside them. */
export function* snapshotRecords(image: MetadataImage): IterableIterator<MetadataRecord> {
  const { clusterId, voters, featureLevel, nextProducerId } = image;
  if (clusterId !== undefined) yield record('clusterFormed', { clusterId, voters, featureLevel });
  for (const broker of image.brokers.values()) yield* brokerRecords(broker);
  for (const topic of image.topics.values()) yield* topicRecords(topic);
  if (nextProducerId > 0) {
    yield record('producerIdsAllocated', { first: producerId(0), count: nextProducerId });
  }
  for (const requestId of image.requests.order.values()) {
    const done = image.requests.byId.get(requestId);
    if (done !== undefined) yield record('requestDone', { requestId, ...done });
  }
}

function* brokerRecords(broker: BrokerImage): IterableIterator<MetadataRecord> {
  const { state, intent, ...registered } = broker;
  const { nodeId, brokerEpoch: epoch } = broker;
  yield record('brokerRegistered', registered);
  if (intent !== 'serve') yield record('brokerIntentChanged', { nodeId, intent });
  if (state === 'active') yield record('brokerUnfenced', { nodeId, brokerEpoch: epoch });
  if (state === 'stopping') yield record('brokerStopping', { nodeId, brokerEpoch: epoch });
}

function* topicRecords(topic: TopicImage): IterableIterator<MetadataRecord> {
  const { topicId, name, isInternal, config } = topic;
  const partitions = [...topic.partitions.values()];
  yield record('topicCreated', {
    topicId,
    name,
    isInternal,
    config,
    partitions: partitions.slice(0, chunk),
  });
  for (let from = chunk; from < partitions.length; from += chunk) {
    yield record('partitionsAdded', { topicId, partitions: partitions.slice(from, from + chunk) });
  }
}
