/** The partitions of the topics that a producer writes, and where the next record goes. */
import { HighwaterError } from '../../proto/model/errors.ts';
import { partitionNumber } from '../../proto/model/ids.ts';
import type { Random } from '../../proto/ports/random.ts';
import type { TopicView } from '../metadata/cluster-view.ts';
import type { MetadataWatch } from '../metadata/metadata-watch.ts';
import { partitionOfKey, StickyPartition } from './core/partitioner.ts';
import { type PartitionHost, PartitionProducer } from './partition-producer.ts';
import type { ProducerRecord } from './record.ts';

/** Chooses a partition from 0 to `count` - 1; for those who need another rule than murmur2. */
export type Partitioner = (record: ProducerRecord, count: number) => number;

interface WrittenTopic {
  view: TopicView;
  readonly partitions: (PartitionProducer | undefined)[];
  readonly sticky: StickyPartition;
}

export interface TopicPartitionsOptions {
  readonly host: PartitionHost;
  readonly metadata: MetadataWatch;
  readonly random: Random;
  readonly partitioner: Partitioner | undefined;
  readonly onAdded: (partition: PartitionProducer) => void;
}

export class TopicPartitions {
  readonly #options: TopicPartitionsOptions;
  readonly #topics = new Map<string, WrittenTopic>();
  readonly #draw: () => number;

  constructor(options: TopicPartitionsOptions) {
    this.#options = options;
    this.#draw = () => options.random.below(2 ** 31);
  }

  /** The partition of a record; undefined if the topic is not known. Throws if the record cannot go anywhere. */
  of(record: ProducerRecord): PartitionProducer | undefined {
    const topic = this.#topics.get(record.topic) ?? this.#learn(record.topic);
    if (topic === undefined) return undefined;
    const number = this.#choose(topic, record);
    return topic.partitions[number] ?? this.#add(topic, number);
  }

  /** The metadata has changed: topics may have gone, come again under another id, or grown. */
  refresh(): void {
    const { view } = this.#options.metadata;
    for (const [name, topic] of this.#topics) {
      const current = view.topicsByName.get(name);
      if (current === undefined || current.topicId !== topic.view.topicId)
        this.#topics.delete(name);
      else topic.view = current;
    }
  }

  /** A batch of the partition was closed: records without a key may go elsewhere. */
  batchClosed(partition: PartitionProducer): void {
    const topic = this.#topics.get(partition.topic.name);
    topic?.sticky.moveOn(partition.partition, {
      count: topic.view.partitions.length,
      drawn: this.#draw,
      owed: (number) => topic.partitions[number]?.bytesOwed ?? 0,
    });
  }

  #learn(name: string): WrittenTopic | undefined {
    const view = this.#options.metadata.view.topicsByName.get(name);
    if (view === undefined || view.partitions.length === 0) return undefined;
    const topic = { view, partitions: [], sticky: new StickyPartition() };
    this.#topics.set(name, topic);
    return topic;
  }

  #choose(topic: WrittenTopic, record: ProducerRecord): number {
    const count = topic.view.partitions.length;
    const { key } = record;
    const { partitioner } = this.#options;
    let chosen = record.partition;
    if (chosen === undefined && partitioner !== undefined) chosen = partitioner(record, count);
    if (chosen === undefined) {
      return key === undefined || key === null
        ? topic.sticky.pick(count, this.#draw)
        : partitionOfKey(key, count);
    }
    if (Number.isInteger(chosen) && chosen >= 0 && chosen < count) return chosen;
    throw new HighwaterError(
      'UNKNOWN_PARTITION',
      `${record.topic} has partitions 0 to ${count - 1}, not ${chosen}`,
      { outcome: 'not-written' },
    );
  }

  #add(topic: WrittenTopic, number: number): PartitionProducer {
    const { host, onAdded } = this.#options;
    const partition = new PartitionProducer(host, topic.view, partitionNumber(number));
    topic.partitions[number] = partition;
    onAdded(partition);
    return partition;
  }
}
