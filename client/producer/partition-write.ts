import type { PartitionWrite } from '../../proto/generated/highwater/v1/produce.ts';
import type { PartitionProducer, WaitedBatch } from './partition-producer.ts';

/** What a message says of one of its batches. */
export function writeOf(
  partition: PartitionProducer,
  batch: WaitedBatch,
  batchBytes: number,
): PartitionWrite {
  return {
    topicId: partition.topic.topicId,
    topic: '',
    partition: partition.partition,
    batchBytes,
    records: [],
    expectedOffset: batch.plan.expectedOffset,
  };
}
