/**
 * An image while one change is folded into it. What the draft made it may change in place; what it
 * took over from the image before stays untouched, so an abandoned draft leaves no trace.
 */
import type { PartitionState } from '../generated/highwater/metadata/v1/records.ts';
import type { NodeId, TopicId } from '../model/ids.ts';
import type { Revision } from '../model/offset.ts';
import type { Hosting, MetadataImage, TopicImage } from './image.ts';
import { sharedList } from './node-lists.ts';
import { type Owner, PersistentMap } from './persistent-map.ts';
import { topicNameFolded } from './topic-name.ts';

export type ImageDraft = { -readonly [Field in keyof MetadataImage]: MetadataImage[Field] } & {
  readonly owner: Owner;
  /** The topic that was asked for or put last: the records of a change come topic by topic. */
  latest: TopicImage | undefined;
};

/** Begins the fold of the change at `revision`. */
export function openDraft(image: MetadataImage, revision: Revision): ImageDraft {
  return { ...image, revision, owner: { purpose: 'one change' }, latest: undefined };
}

/** Ends the fold. The draft is not to be used after this. */
export function sealDraft(draft: ImageDraft): MetadataImage {
  const { owner: _owner, latest: _latest, ...image } = draft;
  return Object.freeze(image);
}

/**
 * Puts a partition into its topic, as the draft has it, and keeps the index and the counts true. Returns
 * the topic with it.
 */
export function putPartition(
  draft: ImageDraft,
  topic: TopicImage,
  before: PartitionState | undefined,
  given: PartitionState,
): TopicImage {
  const after = compact(given);
  const partitions = topic.partitions.set(after.partition, after, draft.owner);
  index(draft, topic.topicId, before, after);
  // A map that this draft made was changed in place: the topic has it already.
  if (partitions === topic.partitions) return topic;
  const { topicId, name, isInternal, config, settings } = topic;
  const next = { topicId, name, isInternal, config, settings, partitions };
  putTopic(draft, next);
  return next;
}

/** A topic as the draft has it. */
export function topicIn(draft: ImageDraft, topicId: TopicId): TopicImage | undefined {
  if (draft.latest?.topicId === topicId) return draft.latest;
  draft.latest = draft.topics.get(topicId);
  return draft.latest;
}

/** Replaces a topic as it is; its partitions must be those that the index knows. */
export function putTopic(draft: ImageDraft, topic: TopicImage): void {
  draft.topics = draft.topics.set(topic.topicId, topic, draft.owner);
  draft.latest = topic;
}

/** Takes a topic and all its partitions away. */
export function dropTopic(draft: ImageDraft, topic: TopicImage): void {
  for (const partition of topic.partitions.values()) {
    index(draft, topic.topicId, partition, undefined);
  }
  draft.topics = draft.topics.delete(topic.topicId, draft.owner);
  draft.latest = undefined;
  draft.topicIds = draft.topicIds.delete(topicNameFolded(topic.name), draft.owner);
}

function index(
  draft: ImageDraft,
  topicId: TopicId,
  before: PartitionState | undefined,
  after: PartitionState | undefined,
): void {
  if (before === undefined) draft.partitionCount++;
  if (after === undefined) draft.partitionCount--;
  if (before !== undefined && before.leader === undefined) draft.leaderlessCount--;
  if (after !== undefined && after.leader === undefined) draft.leaderlessCount++;
  for (const node of before?.replicas ?? []) {
    if (after?.replicas.includes(node) !== true) host(draft, node, { topicId, replicas: -1 });
  }
  for (const node of after?.replicas ?? []) {
    if (before?.replicas.includes(node) !== true) host(draft, node, { topicId, replicas: 1 });
  }
  if (before?.leader === after?.leader) return;
  if (before?.leader !== undefined) host(draft, before.leader, { topicId, leaders: -1 });
  if (after?.leader !== undefined) host(draft, after.leader, { topicId, leaders: 1 });
}

interface Shift {
  readonly topicId: TopicId;
  readonly replicas?: number;
  readonly leaders?: number;
}

function host(draft: ImageDraft, node: NodeId, shift: Shift): void {
  const hosting = draft.hosting.get(node) ?? hostsNothing;
  const replicas = hosting.replicas + (shift.replicas ?? 0);
  const leaders = hosting.leaders + (shift.leaders ?? 0);
  let { topics } = hosting;
  if (shift.replicas !== undefined) {
    const here = (topics.get(shift.topicId) ?? 0) + shift.replicas;
    topics =
      here === 0
        ? topics.delete(shift.topicId, draft.owner)
        : topics.set(shift.topicId, here, draft.owner);
  }
  draft.hosting =
    replicas === 0 && leaders === 0
      ? draft.hosting.delete(node, draft.owner)
      : draft.hosting.set(node, { replicas, leaders, topics }, draft.owner);
}

const hostsNothing: Hosting = {
  replicas: 0,
  leaders: 0,
  topics: PersistentMap.empty<TopicId, number>(),
};

/**
 * Equal lists are shared. All states are built here with the same fields in the same order, which keeps
 * reading them fast.
 */
function compact(state: PartitionState): PartitionState {
  return {
    partition: state.partition,
    leader: state.leader,
    leaderEpoch: state.leaderEpoch,
    partitionEpoch: state.partitionEpoch,
    replicas: sharedList(state.replicas),
    isr: sharedList(state.isr),
    elr: sharedList(state.elr),
    lastKnownElr: sharedList(state.lastKnownElr),
    semiSyncMembers: sharedList(state.semiSyncMembers),
    semiSyncReplicas: state.semiSyncReplicas,
    adding: sharedList(state.adding),
    removing: sharedList(state.removing),
    suspects: sharedList(state.suspects),
    uncleanEpoch: state.uncleanEpoch,
    successor: state.successor,
    roundPurpose: state.roundPurpose,
  };
}
