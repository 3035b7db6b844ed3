/**
 * What must hold in a test world whatever happens, and the ghost state that knows it: every ack ever
 * given and the greatest watermark ever reached. Names follow the invariants S1…S15.
 */

import type { Effect, Receipt } from '../../../broker/replication/core/effects.ts';
import type { Acks } from '../../../proto/model/acks.ts';
import type { NodeId } from '../../../proto/model/ids.ts';
import { checkReaders, keepToken, type SessionToken } from './reader-checks.ts';
import { Violation } from './violation.ts';
import type { TestBroker, World } from './world.ts';

/** One acknowledged record. */
interface GivenAck {
  readonly id: number;
  readonly at: number;
  readonly acks: 'semi-sync' | 'all';
  /** Replicas that had lost their storage, or lost it since. */
  readonly lostBy: Set<NodeId>;
}

export interface Ghost {
  readonly acks: GivenAck[];
  /** Who led each epoch. */
  readonly leaders: Map<number, NodeId>;
  trueWatermark: number;
  /** Of sessions that have written, the newest last. */
  readonly tokens: SessionToken[];
}

/** S14: at the moment of an ack, who must have stored the record has it. */
export function onAck(
  world: World,
  broker: TestBroker,
  { id, acks }: { id: number; acks: Acks },
  receipt: Receipt,
): void {
  const at = receipt.baseOffset;
  if (world.options.isOverBudget === true) return;
  world.trace?.push(`${broker.node}: ack ${acks} of ${id} at ${at}`);
  if (broker.records[at]?.id !== id) throw new Violation(`ack of ${id} at ${at}, not its place`);
  if (broker.storedEnd <= at && acks !== 'none') throw new Violation(`S14 unflushed ack of ${id}`);
  if (!broker.core.isLeaseHeld && (acks === 'none' || acks === 'leader')) {
    throw new Violation(`S25 ack of ${id} without a lease`);
  }
  keepToken(world, { id, at, epoch: receipt.leaderEpoch });
  if (receipt.isDegraded || acks === 'none' || acks === 'leader') return;
  const { role } = broker.core;
  if (role.kind !== 'leader') throw new Violation('S14 ack by a node that does not lead');
  const holders = world.brokers.filter(
    (other) => other.records[at]?.id === id && other.storedEnd > at,
  );
  const lost = world.brokers.filter((other) => other.hasLostStorage);
  if (acks === 'all') {
    const isr = role.pending?.maximalIsr ?? role.committed.isr;
    const lacking = isr.filter((node) => !holders.some((holder) => holder.node === node));
    const blamed = lacking.filter((node) => world.brokers[node - 1]?.hasLostStorage !== true);
    if (blamed.length > 0) throw new Violation(`S14 ack of ${id}, not stored by ${blamed.join()}`);
    if (broker.core.watermark <= at) throw new Violation(`S14 ack of ${id} above the watermark`);
  } else if (holders.length + lost.length < world.options.semiSyncReplicas) {
    throw new Violation(`S14 semi-sync ack of ${id} with ${holders.length} holders`);
  }
  const known = world.ghost.acks.some((ack) => ack.id === id && ack.acks === acks);
  if (known) return;
  // A report may be older than the loss of the disk it spoke of.
  const lostBy = new Set(lost.map(({ node }) => node));
  world.ghost.acks.push({ id, at, acks, lostBy });
}

/** S8, S16: what a leader shows to readers is from then on as good as acknowledged at `all`. */
export function onWatermark(world: World, broker: TestBroker): void {
  const { role, watermark } = broker.core;
  if (role.kind !== 'leader' || world.options.isOverBudget === true) return;
  world.ghost.trueWatermark = Math.max(world.ghost.trueWatermark, watermark);
  for (let at = 0; at < watermark; at++) {
    const id = broker.records[at]?.id ?? 0;
    if (world.ghost.acks.some((ack) => ack.id === id && ack.acks === 'all')) continue;
    const lost = world.brokers.filter((other) => other.hasLostStorage).map(({ node }) => node);
    world.ghost.acks.push({ id, at, acks: 'all', lostBy: new Set(lost) });
  }
}

/** S1 and S9: one leader per epoch, and it has every record acknowledged within its promise. */
export function onBecameLeader(world: World, broker: TestBroker): void {
  const { role } = broker.core;
  if (role.kind !== 'leader' || world.options.isOverBudget === true) return;
  const before = world.ghost.leaders.get(role.epoch);
  if (before !== undefined) throw new Violation(`S9 epoch ${role.epoch} led twice`);
  world.ghost.leaders.set(role.epoch, broker.node);
  // A broker that hears late of an epoch long over leads nobody.
  if (role.epoch !== world.controller.leaderEpoch) return;
  for (const ack of world.ghost.acks) {
    if (!isPromised(world, ack) || broker.records[ack.at]?.id === ack.id) continue;
    throw new Violation(
      `S1 leader ${broker.node} of epoch ${role.epoch} lacks ${ack.id}, acked at ${ack.acks}`,
    );
  }
}

/** S12: a cut below the watermark is not made; within the budget nobody even asks for one. */
export function onCut(world: World, node: NodeId, effect: CutEffect): void {
  const isOverBudget = world.options.isOverBudget === true;
  if (effect.kind === 'halt' && !isOverBudget) {
    throw new Violation(`S12 node ${node} would cut to ${effect.truncateTo} below its watermark`);
  }
  if (effect.kind === 'truncate' && effect.isKeptAside) {
    throw new Violation(`S12 node ${node} cut to ${effect.to}, below its watermark`);
  }
}

type CutEffect = Extract<Effect, { kind: 'halt' | 'truncate' }>;

/** What is checked after every action. */
export function checkWorld(world: World): void {
  if (world.options.isOverBudget === true) return;
  for (const broker of world.brokers) {
    const { core } = broker;
    if (!broker.isUp) continue;
    if (core.watermark > core.log.end) throw new Violation(`S8 watermark above end`);
    if (core.log.end !== broker.records.length) throw new Violation('the core lost count');
    if (core.role.kind === 'leader') {
      world.ghost.trueWatermark = Math.max(world.ghost.trueWatermark, core.watermark);
    }
  }
  checkLogMatching(world);
  checkCandidates(world);
  checkNoGlobalLoss(world);
  checkSemiSyncMembers(world);
  checkServing(world);
  checkReaders(world);
}

/** B3.12: who serves knows the metadata up to its registration. */
function checkServing({ brokers, controller: { production } }: World): void {
  if (production === undefined) return;
  for (const { node, isUp, core, applied } of brokers) {
    const known = production.image.brokers.get(node);
    if (!isUp || known?.state !== 'active' || known.brokerEpoch !== core.brokerEpoch) continue;
    if ((production.revisions[applied - 1] ?? 0) < core.brokerEpoch) {
      throw new Violation(`B3.12 broker ${node} serves and has not applied its registration`);
    }
  }
}

/** S6, S7: the same offset and epoch mean the same record, with the same records before it. */
function checkLogMatching(world: World): void {
  const [first, ...rest] = world.brokers;
  let reference = first;
  for (const broker of rest) {
    if (reference === undefined) return;
    const length = Math.min(reference.records.length, broker.records.length);
    let isSamePrefix = true;
    for (let at = 0; at < length; at++) {
      const a = reference.records[at];
      const b = broker.records[at];
      const isSame = a?.id === b?.id && a?.epoch === b?.epoch;
      if (a?.epoch === b?.epoch && (!isSame || !isSamePrefix)) {
        throw new Violation(`S6 nodes ${reference.node} and ${broker.node} differ at ${at}`);
      }
      isSamePrefix = isSame && isSamePrefix;
    }
    reference = broker;
  }
}

/** S2: everybody who may be elected has stored all that was acknowledged at `all`. */
function checkCandidates(world: World): void {
  const { isr, elr, suspects, production } = world.controller;
  for (const broker of world.brokers) {
    const { node } = broker;
    const isExcused = broker.hasLostStorage && production === undefined;
    if (!broker.isUp || isExcused || suspects.includes(node)) continue;
    if (!isr.includes(node) && !elr.includes(node)) continue;
    for (const ack of world.ghost.acks) {
      if (ack.acks !== 'all') continue;
      const has = broker.records[ack.at]?.id === ack.id && broker.storedEnd > ack.at;
      if (!has) throw new Violation(`S2 candidate ${node} lacks ${ack.id}, acked at all`);
    }
  }
}

/** S11: an acknowledged record is on as many disks as its level promised, less those that were lost. */
function checkNoGlobalLoss(world: World): void {
  const { minInsyncReplicas, semiSyncReplicas } = world.options;
  for (const ack of world.ghost.acks) {
    if (!isPromised(world, ack)) continue;
    const disks = world.brokers.filter(
      ({ records, storedEnd }) => records[ack.at]?.id === ack.id && storedEnd > ack.at,
    ).length;
    const promised = ack.acks === 'all' ? minInsyncReplicas : semiSyncReplicas;
    if (disks < Math.max(1, promised - ack.lostBy.size)) {
      throw new Violation(`S11 ${ack.id}, acked at ${ack.acks}, is on ${disks} disks`);
    }
  }
}

/**
 * The semi-sync promise: no round with fewer than k members missing can lack all holders. So the
 * holders in the set, and those that count as missing, are at least k, until the watermark covers it.
 */
function checkSemiSyncMembers(world: World): void {
  const { semiSyncMembers, suspects } = world.controller;
  if (semiSyncMembers.length === 0) return;
  for (const ack of world.ghost.acks) {
    if (ack.acks !== 'semi-sync' || !isPromised(world, ack)) continue;
    if (world.ghost.acks.some(({ id, acks }) => id === ack.id && acks === 'all')) continue;
    const counted = world.brokers.filter(({ node, records, storedEnd, hasLostStorage }) => {
      if (!semiSyncMembers.includes(node)) return false;
      const holds = records[ack.at]?.id === ack.id && storedEnd > ack.at;
      return holds || hasLostStorage || suspects.includes(node);
    });
    if (counted.length < world.options.semiSyncReplicas) {
      throw new Violation(`semi-sync members without ${counted.length} holders of ${ack.id}`);
    }
  }
}

/** Whether the faults so far are within what the level promises to survive (docs/guarantees.md). */
function isPromised(world: World, ack: GivenAck): boolean {
  if (ack.acks === 'semi-sync') return ack.lostBy.size <= world.options.semiSyncReplicas - 1;
  const unfilled = world.brokers.filter((broker) => broker.hasLostStorage).length;
  return unfilled < world.options.minInsyncReplicas;
}
