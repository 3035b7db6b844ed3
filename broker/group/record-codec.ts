/**
 * The bytes of a group's records. The key is a JSON list that names what the record is about, so that
 * compaction keeps the latest of each; a null value removes it.
 *
 * | key | value |
 * | --- | --- |
 * | `["g", group]` | head |
 * | `["m", group, member]` | member |
 * | `["o", group, topic id, partition]` | committed offset |
 */
import {
  GroupRecord as GroupRecordMessage,
  type PartitionKey as PartitionKeyMessage,
} from '../../proto/generated/highwater/group/v1/records.ts';
import { isUuid, topicId } from '../../proto/model/ids.ts';
import { isAssignor } from './core/assignor.ts';
import {
  type GroupRecord,
  type Held,
  type Member,
  type PartitionKey,
  partitionKey,
  placeOf,
} from './core/group-state.ts';

/** One record as it is stored. */
export interface StoredRecord {
  readonly key: Buffer;
  readonly value: Buffer | null;
}

const version = 1;

export function encodeGroupRecord(record: GroupRecord): StoredRecord {
  switch (record.kind) {
    case 'head': {
      const { generation, assignor } = record;
      return stored(['g', record.group], { kind: 'head', value: { generation, assignor } });
    }
    case 'head-removed':
      return removed(['g', record.group]);
    case 'member': {
      const value = memberMessage(record.member);
      return stored(['m', record.group, record.member.member], { kind: 'member', value });
    }
    case 'member-removed':
      return removed(['m', record.group, record.member]);
    case 'offset': {
      const { offset, leaderEpoch, note, committedAtMs } = record.offset;
      return stored(offsetKey(record), {
        kind: 'offset',
        value: { position: { offset, leaderEpoch }, note, committedAtMs },
      });
    }
    case 'offset-removed':
      return removed(offsetKey(record));
  }
}

/** Undefined for a record of a later version, or one that nobody here can have written. */
export function decodeGroupRecord(
  key: Buffer | null,
  value: Buffer | null,
): GroupRecord | undefined {
  const parts = keyParts(key);
  const [kind, group, name, partition] = parts;
  if (group === undefined) return undefined;
  if (value === null) return removal(parts);
  const message = GroupRecordMessage.decode(value);
  const { body } = message;
  if (message.version !== version || body === undefined) return undefined;
  switch (body.kind) {
    case 'head': {
      const { generation, assignor } = body.value;
      if (kind !== 'g' || !isAssignor(assignor)) return undefined;
      return { kind: 'head', group, generation, assignor };
    }
    case 'member': {
      if (kind !== 'm' || name === undefined) return undefined;
      const { instance, clientHost, rack, topics, topicPattern, sessionTimeoutMs } = body.value;
      const member: Member = {
        member: name,
        instance,
        clientHost,
        rack,
        subscription: { topics, pattern: topicPattern },
        sessionTimeoutMs,
        held: new Map(
          body.value.held.flatMap(({ partition: place, given, revoked }): [PartitionKey, Held][] =>
            place === undefined ? [] : [[keyOf(place), { given, revoked }]],
          ),
        ),
        target: new Set(body.value.target.map(keyOf)),
      };
      return { kind: 'member', group, member };
    }
    case 'offset': {
      const { position, note, committedAtMs } = body.value;
      const place = offsetPlace(name, partition);
      if (kind !== 'o' || place === undefined || position === undefined) return undefined;
      return {
        kind: 'offset',
        group,
        partition: place,
        offset: { ...position, note, committedAtMs },
      };
    }
  }
}

function stored(key: readonly unknown[], body: GroupRecordMessage['body']): StoredRecord {
  const value = Buffer.concat(GroupRecordMessage.encode({ version, body }));
  return { key: Buffer.from(JSON.stringify(key)), value };
}

function removed(key: readonly unknown[]): StoredRecord {
  return { key: Buffer.from(JSON.stringify(key)), value: null };
}

function offsetKey(record: { readonly group: string; readonly partition: PartitionKey }): string[] {
  const { topicId: id, partition } = placeOf(record.partition);
  return ['o', record.group, id, String(partition)];
}

function removal([kind, group, name, partition]: readonly string[]): GroupRecord | undefined {
  if (group === undefined) return undefined;
  if (kind === 'g') return { kind: 'head-removed', group };
  if (name === undefined) return undefined;
  if (kind === 'm') return { kind: 'member-removed', group, member: name };
  const place = offsetPlace(name, partition);
  if (kind !== 'o' || place === undefined) return undefined;
  return { kind: 'offset-removed', group, partition: place };
}

function keyParts(key: Buffer | null): readonly string[] {
  try {
    const parts: unknown = JSON.parse(key?.toString() ?? '');
    return Array.isArray(parts) && parts.every((part) => typeof part === 'string') ? parts : [];
  } catch {
    return [];
  }
}

function offsetPlace(
  id: string | undefined,
  partition: string | undefined,
): PartitionKey | undefined {
  if (id === undefined || partition === undefined) return undefined;
  return isUuid(id) && /^\d{1,9}$/.test(partition)
    ? partitionKey(topicId(id), Number(partition))
    : undefined;
}

function memberMessage(member: Member) {
  const { instance, clientHost, rack, subscription, sessionTimeoutMs } = member;
  return {
    instance,
    clientHost,
    rack,
    topics: subscription.topics,
    topicPattern: subscription.pattern,
    sessionTimeoutMs,
    held: Array.from(member.held, ([key, { given, revoked }]) => ({
      partition: placeOf(key),
      given,
      ...(revoked === undefined ? {} : { revoked }),
    })),
    target: Array.from(member.target, placeOf),
  };
}

function keyOf(place: PartitionKeyMessage): PartitionKey {
  return partitionKey(place.topicId, place.partition);
}
