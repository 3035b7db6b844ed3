/**
 * What an operator wants of a broker: serve, be drained, be removed. A removal moves the replicas away,
 * some at a time, and ends with the broker forgotten; data is never dropped before its copies stand.
 */
import { type MetadataImage, partitionsOn } from '../../../proto/metadata/image.ts';
import {
  type MetadataRecord,
  type PartitionState,
  record,
} from '../../../proto/metadata/records.ts';
import type { NodeId } from '../../../proto/model/ids.ts';
import {
  type Decided,
  decided,
  type EventDraft,
  type Outcome,
  type Refused,
  refused,
} from './decision.ts';
import { placeableBrokers, replacementFor } from './placement.ts';
import { beginReassignment } from './reassignment.ts';

type Intent = 'serve' | 'drain' | 'remove';

/** What is left to be moved. */
export interface IntentAnswer {
  readonly leadersLeft: number;
  readonly replicasLeft: number;
}

/** Decides a change of intent. */
export function decideIntent(
  image: MetadataImage,
  nodeId: NodeId,
  intent: Intent,
): Outcome<IntentAnswer> {
  const broker = image.brokers.get(nodeId);
  if (broker === undefined) {
    return refused('UNKNOWN_BROKER', `broker ${nodeId} is not registered`, { nodeId });
  }
  const hosting = image.hosting.get(nodeId);
  const answer = { leadersLeft: hosting?.leaders ?? 0, replicasLeft: hosting?.replicas ?? 0 };
  if (broker.intent === intent) return decided(answer);
  const fault = intent === 'remove' ? removalFault(image, nodeId) : undefined;
  if (fault !== undefined) return fault;
  const evidence = { before: broker.intent, intent, ...answer };
  const event = {
    kind: 'broker-intent-changed',
    subject: `broker ${nodeId}`,
    reason: 'asked for',
    evidence,
  } as const;
  return decided(answer, [record('brokerIntentChanged', { nodeId, intent })], [event]);
}

/** The next moves of replicas off brokers that are to be removed; at most `room` at once. */
export function decideRemovals(image: MetadataImage, roomMax: number): Decided<undefined> {
  const records: MetadataRecord[] = [];
  const events: EventDraft[] = [];
  const extra = new Map<NodeId, number>();
  // Two brokers that go may hold the same partition: one step of it at a time.
  const started = new Set<PartitionState>();
  for (const { nodeId, intent } of image.brokers.values()) {
    if (intent !== 'remove') continue;
    if (!image.hosting.has(nodeId)) {
      records.push(record('brokerRemoved', { nodeId }));
      const reason = 'it holds nothing any more';
      events.push({ kind: 'broker-removed', subject: `broker ${nodeId}`, reason, evidence: {} });
      continue;
    }
    let room = roomMax;
    for (const hosted of partitionsOn(image, nodeId)) {
      const { partition } = hosted;
      if (room <= 0) break;
      const isRunning = partition.adding.length > 0 || partition.removing.length > 0;
      if (isRunning || started.has(partition)) {
        room--;
        continue;
      }
      const replacement = replacementFor(image, partition, nodeId, extra);
      if (replacement === undefined) continue;
      started.add(partition);
      extra.set(replacement, (extra.get(replacement) ?? 0) + 1);
      const target = partition.replicas.map((node) => (node === nodeId ? replacement : node));
      const [steps, told] = beginReassignment(image, hosted, target);
      records.push(...steps);
      events.push(...told);
      room--;
    }
  }
  return decided(undefined, records, events);
}

/** With the broker gone, each of its partitions must still find as many brokers as it has replicas. */
function removalFault(image: MetadataImage, nodeId: NodeId): Refused | undefined {
  const left = placeableBrokers(image).filter((broker) => broker.nodeId !== nodeId).length;
  for (const { topic, partition } of partitionsOn(image, nodeId)) {
    const count = partition.replicas.length - partition.removing.length;
    if (count <= left) continue;
    return refused(
      'INVALID_REPLICATION_FACTOR',
      `topic ${topic.name} has ${count} replicas and ${left} brokers would be left; add a broker or reassign first`,
      { topic: topic.name, replicas: count, left },
    );
  }
  return undefined;
}
