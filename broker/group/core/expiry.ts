/**
 * Committed offsets that nobody came back for (Kafka's rule, KIP-211). While a group has members it
 * keeps all its offsets, however old: who reads a quiet topic commits seldom. Of a group without
 * members an offset goes one retention after it was committed or after the group was left, whichever
 * is later; a topic that is gone has no members, so its offsets go by the time of their commit alone.
 *
 * Nothing goes at once because the metadata does not mention its topic: this node's may be behind.
 */
import type { MetadataImage } from '../../../proto/metadata/image.ts';
import { type GroupRecord, type GroupState, placeOf } from './group-state.ts';

export interface ExpiryClock {
  /** Wall clock, as the commits bear it. */
  readonly nowMs: number;
  readonly retentionMs: number;
}

/** Offsets that go in one decision, so that it fits into one batch; the rest go with the next. */
const removedMax = 1_000;

/** What goes of a group at this moment; the group itself goes with the last of it. */
export function decideExpiry(
  group: GroupState,
  topics: MetadataImage['topics'],
  { nowMs, retentionMs }: ExpiryClock,
): readonly GroupRecord[] {
  const isOver = (sinceMs: number): boolean => nowMs - sinceMs > retentionMs;
  const isLeft = group.members.size === 0 && isOver(group.changedAtMs);
  const records: GroupRecord[] = [];
  for (const [partition, { committedAtMs }] of group.offsets) {
    if (!isOver(committedAtMs)) continue;
    if (!isLeft && topics.has(placeOf(partition).topicId)) continue;
    records.push({ kind: 'offset-removed', group: group.group, partition });
    if (records.length === removedMax) break;
  }
  if (isLeft && records.length === group.offsets.size)
    records.push({ kind: 'head-removed', group: group.group });
  return records;
}
