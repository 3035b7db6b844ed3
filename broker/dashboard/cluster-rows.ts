/**
 * The metadata image and the heard figures as rows for a browser, as a whole or as what changed since
 * the rows before. Images share what did not change, so a quiet cluster of many partitions costs little.
 */
import type {
  NodeRow,
  PartitionRow,
  ReplicaRow,
  StateMessage,
  TopicRow,
} from '../../proto/dashboard/messages.ts';
import type { PartitionState } from '../../proto/generated/highwater/metadata/v1/records.ts';
import type { TopicTelemetry } from '../../proto/generated/highwater/peer/v1/telemetry.ts';
import type { MetadataImage, TopicImage } from '../../proto/metadata/image.ts';
import type { NodeId, TopicId } from '../../proto/model/ids.ts';
import { minInsyncReplicasOf } from '../../proto/model/topic-settings.ts';
import { nodeRows } from './node-rows.ts';
import type { HeardTelemetry } from './peer-telemetry.ts';

/** The cluster at one moment, as the serving node knows it. */
export interface ClusterMoment {
  readonly wallMs: number;
  /** Monotonic. */
  readonly nowMs: number;
  readonly image: MetadataImage;
  readonly isStale: boolean;
  readonly controller: NodeId | undefined;
  readonly term: number;
  heard(node: NodeId): HeardTelemetry | undefined;
}

/** Gives rows their handles and remembers what was told. */
export class ClusterRows {
  readonly #handles = new Map<TopicId, number>();
  /** The last row told of each replica, by topic handle, partition and node. */
  readonly #told = new Map<string, ReplicaRow>();
  readonly #toldAt = new Map<NodeId, number>();
  #image: MetadataImage | undefined;
  #nextHandle = 1;

  /** What changed since the last call; everything at the first. */
  delta(moment: ClusterMoment): StateMessage {
    const before = this.#image;
    this.#image = moment.image;
    const topics: TopicRow[] = [];
    const partitions: PartitionRow[] = [];
    const goneTopics: number[] = [];
    if (before === undefined) {
      moment.image.topics.forEach((topic) => this.#addTopic(topic, topics, partitions));
    } else {
      for (const { key, before: was, after } of moment.image.topics.changesSince(before.topics)) {
        if (after === undefined) goneTopics.push(this.#forget(key));
        else if (was === undefined) this.#addTopic(after, topics, partitions);
        else {
          topics.push(this.#topicRow(after));
          for (const change of after.partitions.changesSince(was.partitions))
            if (change.after !== undefined)
              partitions.push(partitionRow(this.#handleOf(key), change.after));
        }
      }
    }
    const replicas = this.#changedReplicas(moment);
    return {
      ...head(moment),
      isFull: before === undefined,
      topics,
      partitions,
      goneTopics,
      replicas,
    };
  }

  /** Everything as it was told last, for a browser that comes later. */
  whole(moment: ClusterMoment): StateMessage {
    const topics: TopicRow[] = [];
    const partitions: PartitionRow[] = [];
    this.#image?.topics.forEach((topic) => this.#addTopic(topic, topics, partitions));
    return {
      ...head(moment),
      isFull: true,
      topics,
      partitions,
      goneTopics: [],
      replicas: [...this.#told.values()],
    };
  }

  #addTopic(topic: TopicImage, topics: TopicRow[], partitions: PartitionRow[]): void {
    topics.push(this.#topicRow(topic));
    const handle = this.#handleOf(topic.topicId);
    topic.partitions.forEach((partition) => partitions.push(partitionRow(handle, partition)));
  }

  #topicRow(topic: TopicImage): TopicRow {
    const { topicId, name, isInternal, settings, partitions } = topic;
    const replicas = partitions.values()[0]?.replicas.length ?? 0;
    return {
      handle: this.#handleOf(topicId),
      name,
      isInternal,
      minInsyncReplicas: minInsyncReplicasOf(settings, replicas),
    };
  }

  #handleOf(topicId: TopicId): number {
    const known = this.#handles.get(topicId);
    if (known !== undefined) return known;
    this.#handles.set(topicId, this.#nextHandle);
    return this.#nextHandle++;
  }

  #forget(topicId: TopicId): number {
    const handle = this.#handleOf(topicId);
    this.#handles.delete(topicId);
    for (const key of this.#told.keys()) if (key.startsWith(`${handle}/`)) this.#told.delete(key);
    return handle;
  }

  #changedReplicas(moment: ClusterMoment): ReplicaRow[] {
    const changed: ReplicaRow[] = [];
    for (const node of moment.image.brokers.keys()) {
      const heard = moment.heard(node);
      if (heard === undefined || this.#toldAt.get(node) === heard.heardAt) continue;
      this.#toldAt.set(node, heard.heardAt);
      for (const topic of heard.figures.topics) {
        if (moment.image.topics.has(topic.topicId)) this.#compare(node, topic, changed);
      }
    }
    return changed;
  }

  #compare(node: NodeId, topic: TopicTelemetry, changed: ReplicaRow[]): void {
    const handle = this.#handleOf(topic.topicId);
    topic.partitions.forEach((partition, at) => {
      const key = `${handle}/${partition}/${node}`;
      const row: ReplicaRow = [
        handle,
        partition,
        node,
        topic.logStarts[at] ?? 0,
        topic.logEnds[at] ?? 0,
        topic.storedEnds[at] ?? 0,
        topic.watermarks[at] ?? 0,
        (topic.leading[at] ?? 0) - 1,
      ];
      const was = this.#told.get(key);
      if (was?.every((value, index) => value === row[index]) === true) return;
      this.#told.set(key, row);
      changed.push(row);
    });
  }
}

function head(moment: ClusterMoment): {
  readonly kind: 'state';
  readonly wallMs: number;
  readonly revision: number;
  readonly isStale: boolean;
  readonly controller: number | null;
  readonly term: number;
  readonly nodes: readonly NodeRow[];
} {
  const { wallMs, image, isStale, controller, term } = moment;
  return {
    kind: 'state',
    wallMs,
    revision: image.revision,
    isStale,
    controller: controller ?? null,
    term,
    nodes: nodeRows(moment),
  };
}

function partitionRow(topic: number, state: PartitionState): PartitionRow {
  const { partition, leader, leaderEpoch, partitionEpoch, replicas, isr, elr, suspects } = state;
  return {
    topic,
    partition,
    leader: leader ?? null,
    leaderEpoch,
    partitionEpoch,
    replicas,
    isr,
    elr,
    semiSync: state.semiSyncMembers,
    suspects,
  };
}
