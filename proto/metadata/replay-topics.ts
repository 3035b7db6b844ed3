/** Records about topics and their partitions. */
import type {
  MetadataRecord,
  PartitionState,
  TopicCreated,
} from '../generated/highwater/metadata/v1/records.ts';
import { isUuid, type TopicId } from '../model/ids.ts';
import { limits } from '../model/limits.ts';
import { readTopicSettings } from '../model/topic-settings.ts';
import { dropTopic, type ImageDraft, putPartition, putTopic, topicIn } from './draft.ts';
import type { TopicImage } from './image.ts';
import { stateFault, stepFault } from './partition-fault.ts';
import { PersistentMap } from './persistent-map.ts';
import { isTopicName, topicNameFolded } from './topic-name.ts';

type TopicBody = Extract<
  NonNullable<MetadataRecord['body']>,
  {
    kind:
      | 'topicCreated'
      | 'topicDeleted'
      | 'topicConfigChanged'
      | 'partitionsAdded'
      | 'partitionChanged'
      | 'roundOpened'
      | 'partitionElected';
  }
>;

/** Applies one record, or says what is wrong with it. */
export function replayTopic(draft: ImageDraft, body: TopicBody): string | undefined {
  if (body.kind === 'topicCreated') return created(draft, body.value);
  const topic = topicIn(draft, body.value.topicId);
  if (topic === undefined) return `topic ${body.value.topicId} does not exist`;
  switch (body.kind) {
    case 'topicDeleted':
      dropTopic(draft, topic);
      return undefined;
    case 'topicConfigChanged': {
      const { config } = body.value;
      putTopic(draft, { ...topic, config, settings: readTopicSettings(config) });
      return undefined;
    }
    case 'partitionsAdded':
      return added(draft, topic, body.value.partitions);
    case 'partitionChanged':
    case 'roundOpened':
    case 'partitionElected':
      return stepped(draft, topic, body);
  }
}

function created(draft: ImageDraft, value: TopicCreated): string | undefined {
  const { topicId, name, config, isInternal } = value;
  const folded = topicNameFolded(name);
  if (!isUuid(topicId)) return 'a topic id is a UUID';
  if (!isTopicName(name)) return `topic name ${JSON.stringify(name)}`;
  if (draft.topics.has(topicId)) return `topic ${topicId} exists`;
  if (draft.topicIds.has(folded)) return `a topic named ${name}, or like it, exists`;
  const topic: TopicImage = {
    topicId,
    name,
    isInternal,
    config,
    settings: readTopicSettings(config),
    partitions: PersistentMap.empty(),
  };
  putTopic(draft, topic);
  draft.topicIds = draft.topicIds.set(folded, topicId, draft.owner);
  return added(draft, topic, value.partitions);
}

function added(
  draft: ImageDraft,
  topic: TopicImage,
  partitions: readonly PartitionState[],
): string | undefined {
  const count = topic.partitions.size + partitions.length;
  if (partitions.length === 0 || count > limits.topicPartitionsMax) {
    return `${count} partitions; expected 1 to ${limits.topicPartitionsMax}`;
  }
  let current = topic;
  for (const [i, state] of partitions.entries()) {
    const expected = topic.partitions.size + i;
    if (state.partition !== expected) {
      return `partition ${state.partition} does not follow; expected ${expected}`;
    }
    const fault = stateFault(draft, topic, state);
    if (fault !== undefined) return nameFault(topic.topicId, state, fault);
    current = putPartition(draft, current, undefined, state);
  }
  return undefined;
}

function stepped(
  draft: ImageDraft,
  topic: TopicImage,
  body: Extract<TopicBody, { kind: 'partitionChanged' | 'roundOpened' | 'partitionElected' }>,
): string | undefined {
  const { state } = body.value;
  if (state === undefined) return 'a change of nothing';
  const before = topic.partitions.get(state.partition);
  if (before === undefined) return `topic ${topic.name} has no partition ${state.partition}`;
  const fault = stepFault(body.kind, before, state) ?? stateFault(draft, topic, state);
  if (fault !== undefined) return nameFault(topic.topicId, state, fault);
  putPartition(draft, topic, before, state);
  return undefined;
}

function nameFault(topicId: TopicId, state: PartitionState, fault: string): string {
  return `partition ${topicId}/${state.partition}: ${fault}`;
}
