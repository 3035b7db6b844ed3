/**
 * Planned moves of leadership (rule 6.5): the leader is asked by a committed record to hand over, stops
 * appending, and says when the successor has stored everything; only then is the round opened. Nothing
 * acknowledged or waiting is cut.
 *
 * Moves are made off brokers that stop, drain or are removed, and back to the preferred leader; at most
 * so many at a time, since each stops one partition for a moment.
 */
import type { ImageDelta } from '../../../proto/metadata/delta.ts';
import { mayBePlannedLeader } from '../../../proto/metadata/eligibility.ts';
import {
  type HostedPartition,
  type MetadataImage,
  partitionsOn,
} from '../../../proto/metadata/image.ts';
import type { MetadataRecord } from '../../../proto/metadata/records.ts';
import type { NodeId, PartitionNumber, TopicId } from '../../../proto/model/ids.ts';
import { type Decided, decided, type EventDraft } from './decision.ts';
import { changed, stepped, subjectOf } from './partition-step.ts';
import { successorFor } from './successor.ts';

/** Lives in memory; rebuilt from the image. */
export interface MovesState {
  readonly limit: number;
  /** A leader that has not handed over by then goes on, and may be asked again. */
  readonly timeoutMs: number;
  readonly inFlight: Map<string, Move>;
}

interface Move {
  readonly topicId: TopicId;
  readonly partition: PartitionNumber;
  readonly sinceMs: number;
}

export function createMoves(options: {
  readonly limit: number;
  readonly timeoutMs: number;
}): MovesState {
  return { ...options, inFlight: new Map() };
}

/** Follows the committed image: a move begins and ends by records alone. */
export function followMoves(moves: MovesState, delta: ImageDelta, nowMs: number): void {
  for (const topicId of delta.deletedTopics) {
    for (const [key, move] of moves.inFlight)
      if (move.topicId === topicId) moves.inFlight.delete(key);
  }
  for (const { topic, partitions } of delta.topics) {
    for (const { after } of partitions) {
      if (after.successor === undefined && moves.inFlight.size === 0) continue;
      const key = `${topic.topicId}/${after.partition}`;
      if (after.successor === undefined) moves.inFlight.delete(key);
      else if (!moves.inFlight.has(key)) {
        const { topicId } = topic;
        moves.inFlight.set(key, { topicId, partition: after.partition, sinceMs: nowMs });
      }
    }
  }
}

/** Takes back what was not handed over in time, so that leader and controller agree again. */
export function decideMoveTimeouts(
  moves: MovesState,
  image: MetadataImage,
  nowMs: number,
): Decided<undefined> {
  const records: MetadataRecord[] = [];
  const events: EventDraft[] = [];
  for (const { topicId, partition: number, sinceMs } of moves.inFlight.values()) {
    if (nowMs < sinceMs + moves.timeoutMs) continue;
    const topic = image.topics.get(topicId);
    const partition = topic?.partitions.get(number);
    if (topic === undefined || partition?.successor === undefined) continue;
    if (partition.leader === undefined) continue;
    records.push(changed(topicId, stepped(topic, partition, { successor: undefined })));
    const evidence = { successor: partition.successor, afterMs: nowMs - sinceMs };
    const subject = subjectOf({ topic, partition });
    events.push({ kind: 'hand-over-cancelled', subject, reason: 'not done in time', evidence });
  }
  return decided(undefined, records, events);
}

/** Moves leaderships off the brokers that are to lead nothing. */
export function decideDrains(moves: MovesState, image: MetadataImage): Decided<undefined> {
  const plan = new MovePlan(moves);
  for (const broker of image.brokers.values()) {
    const isGoing = broker.state === 'stopping' || broker.intent !== 'serve';
    if (!isGoing || broker.state === 'fenced') continue;
    if ((image.hosting.get(broker.nodeId)?.leaders ?? 0) === 0) continue;
    const reason = broker.state === 'stopping' ? 'its leader stops' : 'its leader is drained';
    for (const hosted of partitionsOn(image, broker.nodeId)) {
      if (hosted.partition.leader !== broker.nodeId) continue;
      if (!plan.add(hosted, successorFor(image, hosted.partition, plan.added), reason)) break;
    }
  }
  return plan.decided();
}

/** Moves leaderships back to the first replica where that is in sync and serves. */
export function decideBalance(moves: MovesState, image: MetadataImage): Decided<undefined> {
  const plan = new MovePlan(moves);
  for (const topic of image.topics.values()) {
    for (const partition of topic.partitions.values()) {
      const [preferred] = partition.replicas;
      if (preferred === undefined || preferred === partition.leader) continue;
      if (!partition.isr.includes(preferred)) continue;
      if (!mayBePlannedLeader(image, partition, preferred)) continue;
      if (!plan.add({ topic, partition }, preferred, 'back to the preferred leader')) {
        return plan.decided();
      }
    }
  }
  return plan.decided();
}

/** The record that asks a leader to hand over. */
export function askHandOver(
  hosted: HostedPartition,
  successor: NodeId,
  reason: string,
): { readonly record: MetadataRecord; readonly event: EventDraft } {
  const { topic, partition } = hosted;
  const evidence = { leader: partition.leader ?? 'none', successor };
  return {
    record: changed(topic.topicId, stepped(topic, partition, { successor })),
    event: { kind: 'hand-over-asked', subject: subjectOf(hosted), reason, evidence },
  };
}

class MovePlan {
  /** Leaderships that this plan gives to each broker. */
  readonly added = new Map<NodeId, number>();
  readonly #records: MetadataRecord[] = [];
  readonly #events: EventDraft[] = [];
  #room: number;

  constructor(moves: MovesState) {
    this.#room = moves.limit - moves.inFlight.size;
  }

  /** False: no more moves at present. */
  add(hosted: HostedPartition, successor: NodeId | undefined, reason: string): boolean {
    if (this.#room <= 0) return false;
    const { leader, successor: asked } = hosted.partition;
    if (leader === undefined || asked !== undefined || successor === undefined) return true;
    const { record, event } = askHandOver(hosted, successor, reason);
    this.#records.push(record);
    this.#events.push(event);
    this.added.set(successor, (this.added.get(successor) ?? 0) + 1);
    this.#room--;
    return true;
  }

  decided(): Decided<undefined> {
    return decided(undefined, this.#records, this.#events);
  }
}
