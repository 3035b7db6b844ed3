/**
 * A cluster of partition cores, one small controller and a network that keeps every message until
 * somebody delivers or drops it. Nothing happens by itself: a transcript, a random walk or an
 * exhaustive search chooses each action. Plain data, so that a search can copy it.
 */

import type { EpochStart } from '../../../broker/log/core/epoch-history.ts';
import type { Effect } from '../../../broker/replication/core/effects.ts';
import type { Input, ProducerVerdict } from '../../../broker/replication/core/inputs.ts';
import { step } from '../../../broker/replication/core/partition.ts';
import type { Rules } from '../../../broker/replication/core/rules.ts';
import type { PartitionState } from '../../../broker/replication/core/state.ts';
import type { RoundRules } from '../../../controller/cluster/core/election-round.ts';
import type { ClusterRules } from '../../../controller/cluster/core/rules.ts';
import type { Acks } from '../../../proto/model/acks.ts';
import { type NodeId, nodeId } from '../../../proto/model/ids.ts';
import { leaderEpoch, offset } from '../../../proto/model/offset.ts';
import { type Ghost, onAck, onBecameLeader, onCut, onWatermark } from './checks.ts';
import { type Controller, createController, register } from './controller-twin.ts';
import type { Message } from './messages.ts';
import { recoverCore } from './recover.ts';
import { Violation } from './violation.ts';

/** One record of a log: who it is, and the epoch it was appended under. */
export interface TestRecord {
  readonly id: number;
  readonly epoch: number;
}

/** One broker: its disk outlives it, its core does not. */
export interface TestBroker {
  readonly node: NodeId;
  isUp: boolean;
  core: PartitionState;
  records: TestRecord[];
  /** Durable whatever happens. */
  storedEnd: number;
  verifiedEpoch: number;
  /** Epochs asked to be made durable and not yet so. */
  persisting: number[];
  /** How many of the controller's versions this broker has applied. */
  applied: number;
  hasLostStorage: boolean;
}

export interface WorldOptions {
  readonly replicas: number;
  readonly minInsyncReplicas: number;
  readonly semiSyncReplicas: number;
  /** Most records of one walk. */
  readonly recordsMax?: number;
  /** More is lost than any promise survives: the one that is left is never to cut below the watermark. */
  readonly isOverBudget?: boolean;
  readonly rules?: Rules;
  readonly roundRules?: RoundRules;
  /** The controller's own decisions, under these rules; undefined: the twin's. */
  readonly clusterRules?: ClusterRules | undefined;
  readonly semiSyncOnTimeout?: 'fail' | 'degrade';
}

export interface World {
  readonly options: WorldOptions;
  readonly controller: Controller;
  readonly brokers: TestBroker[];
  messages: Message[];
  readonly ghost: Ghost;
  /** Every request: its record, its level and, once answered, how. */
  requests: { readonly id: number; readonly acks: Acks; answer: string }[];
  records: number;
  nowMs: number;
  /** What happened, for people; undefined: nobody reads it. */
  trace: string[] | undefined;
}

/** All brokers up with empty logs, node 1 leading in epoch 1, everybody in sync. */
export function createWorld(options: WorldOptions): World {
  const nodes = Array.from({ length: options.replicas }, (_, index) => nodeId(index + 1));
  const controller = createController(nodes, options);
  const brokers = nodes.map((node): TestBroker => {
    const disk = { records: [], storedEnd: 0, verifiedEpoch: 1, hasLostStorage: false };
    const core = recoverCore(controller, { node, ...disk }, options.rules);
    return { node, isUp: true, core, ...disk, persisting: [], applied: 0 };
  });
  const ghost = { acks: [], leaders: new Map<number, NodeId>(), trueWatermark: 0, tokens: [] };
  const world: World = {
    options,
    controller,
    brokers,
    messages: [],
    ghost,
    requests: [],
    records: 0,
    nowMs: 0,
    trace: undefined,
  };
  for (const broker of brokers) applyMetadata(world, broker.node);
  return world;
}

export function brokerOf(world: World, node: NodeId): TestBroker {
  const broker = world.brokers[node - 1];
  if (broker === undefined) throw new Error(`no node ${node}`);
  return broker;
}

/** Steps one core and runs its effects. */
export function feed(world: World, node: NodeId, input: Input, payload?: TestRecord): void {
  const broker = brokerOf(world, node);
  if (!broker.isUp) return;
  const effects: Effect[] = [];
  step(broker.core, input, effects);
  for (const effect of effects) run(world, broker, effect, payload);
}

/** A producer sends one record; returns its id. */
export function produce(world: World, node: NodeId, acks: Acks): number {
  world.records++;
  request(world, node, { id: world.records, acks }, { kind: 'fresh' });
  return world.records;
}

/** A producer sends a record again: the leader's producer state finds it in its log, or does not. */
export function retry(world: World, node: NodeId, id: number, acks: Acks): void {
  const at = brokerOf(world, node).records.findIndex((record) => record.id === id);
  const verdict: ProducerVerdict =
    at < 0
      ? { kind: 'fresh' }
      : { kind: 'duplicate', baseOffset: offset(at), endOffset: offset(at + 1) };
  request(world, node, { id, acks }, verdict);
}

function request(
  world: World,
  node: NodeId,
  { id, acks }: { id: number; acks: Acks },
  verdict: ProducerVerdict,
): void {
  world.requests.push({ id, acks, answer: '' });
  const token = world.requests.length - 1;
  const { nowMs } = world;
  const deadlineMs = nowMs + 30_000;
  const common = { token, count: 1, acks, deadlineMs, nowMs, verdict };
  feed(world, node, { kind: 'produce', ...common, expectedOffset: undefined, isDiskFull: false });
}

/** Makes up to `count` more records durable. */
export function flush(world: World, node: NodeId, count = Infinity): void {
  const broker = brokerOf(world, node);
  broker.storedEnd = Math.min(broker.records.length, broker.storedEnd + count);
  const { cuts } = broker.core.log;
  feed(world, node, { kind: 'stored', end: offset(broker.storedEnd), cuts });
}

/** Finishes the writes of verified epochs. */
export function persist(world: World, node: NodeId): void {
  const broker = brokerOf(world, node);
  for (const epoch of broker.persisting.splice(0)) {
    broker.verifiedEpoch = Math.max(broker.verifiedEpoch, epoch);
    feed(world, node, { kind: 'verified-epoch-persisted', epoch: leaderEpoch(epoch) });
  }
}

/** The leader pushes the next record, if any, and its watermark to a follower with a started stream. */
export function copy(world: World, from: NodeId, to: NodeId): boolean {
  const leader = brokerOf(world, from);
  const follower = brokerOf(world, to);
  if (!leader.isUp || !follower.isUp || leader.core.role.kind !== 'leader') return false;
  const progress = leader.core.role.followers.get(to);
  if (progress?.phase !== 'started' || progress.brokerEpoch !== follower.core.brokerEpoch) {
    return false;
  }
  const base = follower.core.log.end;
  const record = leader.records[base];
  const history = record === undefined ? undefined : leader.core.log.history;
  const epochs = history?.filter((entry): entry is EpochStart => entry.startOffset === base) ?? [];
  const endOffset = record === undefined ? base : offset(base + 1);
  const { stream } = progress;
  const stamps = { stream, leaderEpoch: leader.core.role.epoch, watermark: leader.core.watermark };
  feed(world, to, { kind: 'replicated', ...stamps, baseOffset: base, endOffset, epochs }, record);
  return true;
}

/** A broker applies the next committed version, or all of them as one. */
export function applyMetadata(world: World, node: NodeId, isWhole = true): boolean {
  const broker = brokerOf(world, node);
  const { versions } = world.controller;
  if (!broker.isUp || broker.applied >= versions.length) return false;
  broker.applied = isWhole ? versions.length : broker.applied + 1;
  const metadata = versions[broker.applied - 1];
  if (metadata !== undefined) feed(world, node, { kind: 'metadata', metadata });
  return true;
}

/** The process dies. Of what was not durable, the first `kept` records survive. */
export function crash(world: World, node: NodeId, kept = 0): void {
  const broker = brokerOf(world, node);
  if (!broker.isUp) return;
  broker.isUp = false;
  broker.records.length = Math.min(broker.records.length, broker.storedEnd + kept);
  broker.storedEnd = broker.records.length;
  broker.persisting = [];
  for (const other of world.brokers) closeStreams(world, other, node);
}

/** The disk of a dead broker is replaced by an empty one. */
export function loseStorage(world: World, node: NodeId): void {
  const broker = brokerOf(world, node);
  broker.records = [];
  broker.storedEnd = 0;
  broker.verifiedEpoch = 0;
  broker.hasLostStorage = true;
  for (const ack of world.ghost.acks) ack.lostBy.add(node);
}

/** The broker registers anew and follows the metadata up to its registration, at once or later. */
export function restart(world: World, node: NodeId, isFollowed = true): void {
  const broker = brokerOf(world, node);
  if (broker.isUp) return;
  register(world.controller, node, broker.hasLostStorage);
  broker.core = recoverCore(world.controller, broker, world.options.rules);
  broker.isUp = true;
  // Nothing is replicated before the registration is known, so no older version is applied.
  broker.applied =
    world.controller.production === undefined ? 0 : world.controller.versions.length - 1;
  if (isFollowed) applyMetadata(world, node);
}

/** The link between two nodes breaks: both sides notice. */
export function closeStreams(world: World, broker: TestBroker, peer: NodeId): void {
  const { role } = broker.core;
  if (role.kind === 'leader') {
    const progress = role.followers.get(peer);
    if (progress !== undefined) {
      const { brokerEpoch, stream } = progress;
      feed(world, broker.node, { kind: 'follower-closed', follower: peer, brokerEpoch, stream });
    }
  } else if (role.kind === 'follower' && role.leader === peer) {
    feed(world, broker.node, { kind: 'stream-closed', stream: role.stream });
  }
}

/** Runs one effect: the disk obeys at once, except that a verified epoch waits for `persist`. */
function run(world: World, broker: TestBroker, effect: Effect, payload?: TestRecord): void {
  const { node } = broker;
  switch (effect.kind) {
    case 'append': {
      const id = world.requests[effect.token]?.id ?? 0;
      broker.records[effect.baseOffset] = { id, epoch: effect.leaderEpoch };
      return;
    }
    case 'append-replicated':
      if (payload !== undefined) broker.records[effect.baseOffset] = payload;
      return;
    case 'truncate':
      onCut(world, node, effect);
      broker.records.length = effect.to;
      broker.storedEnd = Math.min(broker.storedEnd, effect.to);
      return feed(world, node, { kind: 'truncated', cuts: effect.cuts });
    case 'persist-verified-epoch':
      broker.persisting.push(effect.epoch);
      return;
    case 'reply': {
      const { result } = effect;
      const request = world.requests[effect.token];
      if (request === undefined || request.answer !== '') throw new Violation('answered twice');
      request.answer = result.kind === 'failed' ? `${result.code} ${result.outcome}` : 'acked';
      if (result.kind === 'failed') return;
      if (result.receipt.isDegraded) request.answer = 'acked degraded';
      return onAck(world, broker, request, result.receipt);
    }
    case 'answer-open':
    case 'open-stream':
    case 'report':
    case 'propose':
    case 'answer-promise':
    case 'resign':
    case 'hand-over-ready':
      world.messages.push({ from: node, incarnation: broker.core.brokerEpoch, effect });
      return;
    case 'watermark':
      return onWatermark(world, broker);
    case 'halt':
      return onCut(world, node, effect);
    case 'event':
      world.trace?.push(`${node}: ${JSON.stringify(effect.event)}`);
      if (effect.event.event === 'became-leader') onBecameLeader(world, broker);
      return;
    case 'close-follower':
    case 'close-stream':
    case 'reset':
      return;
  }
}
