/**
 * Where the partitions begin that a member is given: at the committed offset, else where the options say.
 * What the options say is committed before anything is read, so that a member which takes over before
 * the first commit begins there too, and not at what is the latest by then.
 *
 * Invariant: a partition begins nowhere below what this member was or will be told to be committed of it.
 * A commit of an earlier holding may still be tried while the member joins again; it is waited for.
 */
import { groupService } from '../../proto/generated/highwater/v1/group.ts';
import { HighwaterError } from '../../proto/model/errors.ts';
import { partitionNumber, type TopicId } from '../../proto/model/ids.ts';
import { leaderEpoch } from '../../proto/model/offset.ts';
import type { ClientParts } from '../client-parts.ts';
import type { TopicView } from '../metadata/cluster-view.ts';
import { resolveStart, type StartPlace } from '../reader/start-offsets.ts';
import type { ConsumerSettings } from './consumer-options.ts';
import type { GroupLine } from './group-line.ts';
import type { OffsetCommitter } from './offset-committer.ts';
import { OwnedPartition, partitionKeyOf } from './owned-partition.ts';

/** A partition of an assignment. */
export interface Given {
  readonly topicId: TopicId;
  readonly partition: number;
  readonly given: number;
}

export interface OpenOptions {
  readonly parts: ClientParts;
  readonly settings: ConsumerSettings;
  readonly line: GroupLine;
  readonly committer: OffsetCommitter;
  readonly signal: AbortSignal;
  readonly generation: () => number;
}

const fetchMs = 30_000;
const topicMs = 10_000;

/** Finds where each begins; what is no longer wanted by then is left out. */
export async function openPartitions(
  options: OpenOptions,
  coming: readonly Given[],
  isWanted: (one: Given) => boolean,
): Promise<OwnedPartition[]> {
  await Promise.all(
    coming.map((one) => options.committer.settled(partitionKeyOf(one.topicId, one.partition))),
  );
  const committed = await committedPlaces(options, coming);
  const opened = await Promise.all(
    coming.map(async (one) => {
      const at = committed.get(partitionKeyOf(one.topicId, one.partition));
      const owned = await open(options, one, at);
      if (at === undefined && isWanted(one)) await pin(options, owned);
      return { one, owned };
    }),
  );
  return opened.flatMap(({ one, owned }) => (isWanted(one) ? [owned] : []));
}

async function open(
  options: OpenOptions,
  one: Given,
  at: StartPlace | undefined,
): Promise<OwnedPartition> {
  const topic = await topicOf(options, one);
  const { parts, settings, signal } = options;
  const target = { parts, topic, partition: partitionNumber(one.partition), signal };
  const start = at ?? (await resolveStart(target, settings.from));
  const owned = new OwnedPartition(topic, one.partition, one.given, start);
  owned.committed = at?.offset;
  return owned;
}

async function topicOf({ parts, signal }: OpenOptions, one: Given): Promise<TopicView> {
  const { metadata, machine } = parts;
  const isKnown = await metadata.reached(
    (view) => view.topicsById.get(one.topicId)?.partitions[one.partition] !== undefined,
    machine.clock.now() + topicMs,
    signal,
  );
  const topic = metadata.view.topicsById.get(one.topicId);
  if (isKnown && topic !== undefined) return topic;
  throw new HighwaterError('UNKNOWN_TOPIC', `topic ${one.topicId} is not known here`);
}

/** At 0 there is nothing before it that could be passed over. */
async function pin({ committer }: OpenOptions, owned: OwnedPartition): Promise<void> {
  const { offset, epoch } = owned.next;
  if (offset > 0) await committer.commit(owned, { offset, leaderEpoch: epoch ?? leaderEpoch(0) });
}

async function committedPlaces(
  { line, settings, generation }: OpenOptions,
  coming: readonly Given[],
): Promise<Map<string, StartPlace>> {
  const { offsets } = await line.call(
    groupService.fetchOffsets,
    {
      group: settings.group,
      generation: generation(),
      partitions: coming.map(({ topicId, partition }) => ({
        topicId,
        topic: '',
        partitions: [partitionNumber(partition)],
        given: [],
      })),
    },
    fetchMs,
  );
  const found = new Map<string, StartPlace>();
  for (const { topicId, partition, position } of offsets) {
    if (position === undefined) continue;
    const epoch = position.leaderEpoch > 0 ? position.leaderEpoch : undefined;
    found.set(partitionKeyOf(topicId, partition), { offset: position.offset, epoch });
  }
  return found;
}
