/**
 * Random walks of one partition, one seed each: appends, flushes, streams with delayed and lost
 * messages, changes of the in-sync set and of the semi-sync members, fences, election rounds at any
 * moment, crashes that keep any part of what was not flushed, lost storage within the budget of the
 * promises. The cores of the brokers and the election are the production code.
 */

import type { Rules } from '../../../broker/replication/core/rules.ts';
import type { RoundRules } from '../../../controller/cluster/core/election-round.ts';
import { type ClusterRules, everyClusterRule } from '../../../controller/cluster/core/rules.ts';
import { revision } from '../../../proto/model/offset.ts';
import { breakRule } from './break-rule.ts';
import { checkWorld } from './checks.ts';
import { decide, fence, openRound } from './controller-twin.ts';
import { deliver, type Message, refill } from './messages.ts';
import {
  applyMetadata,
  brokerOf,
  copy,
  crash,
  createWorld,
  feed,
  flush,
  loseStorage,
  persist,
  produce,
  restart,
  retry,
  type TestBroker,
  type World,
} from './world.ts';

export interface WalkOptions {
  readonly replicas: number;
  readonly semiSyncReplicas: number;
  readonly minInsyncReplicas: number;
  readonly steps: number;
  /** Disks are replaced by empty ones often, and the broker is back at once. */
  readonly replacesDisks?: boolean;
  /** Most records of one walk; 7 by default. */
  readonly recordsMax?: number;
  /** The controller's own decisions, not the twin's. */
  readonly isProduction?: boolean;
  /** The rule to break; undefined: the product as it is. */
  readonly broken?: keyof Rules | keyof RoundRules | keyof ClusterRules | undefined;
}

/** Walks from one seed. Throws a `Violation` when a promise is broken; returns the world reached. */
export function walk(seed: number, options: WalkOptions, trace?: string[]): World {
  const { broken } = options;
  const rules = broken === undefined ? undefined : breakRule(broken);
  const clusterRules =
    options.isProduction === true ? (rules?.clusterRules ?? everyClusterRule) : undefined;
  const world = createWorld({ ...options, ...rules, clusterRules });
  world.trace = trace;
  const random = randomFrom(seed);
  const bag = bagOf(options);
  for (let step = 0; step < options.steps; step++) {
    const name = bag[Math.floor(random() * bag.length)];
    if (name === undefined) break;
    trace?.push(`- ${name}`);
    actions[name](world, random);
    checkWorld(world);
  }
  return world;
}

type Random = () => number;

const actions = {
  append(world: World, random: Random) {
    const leader = pick(leaders(world), random);
    if (leader === undefined || world.records >= (world.options.recordsMax ?? 7)) return;
    produce(world, leader.node, random() < 0.5 ? 'all' : 'semi-sync');
  },
  again(world: World, random: Random) {
    const leader = pick(leaders(world), random);
    const record = leader === undefined ? undefined : pick(leader.records, random);
    if (leader === undefined || record === undefined || world.requests.length > 30) return;
    retry(world, leader.node, record.id, random() < 0.5 ? 'all' : 'semi-sync');
  },
  flush(world: World, random: Random) {
    const broker = pick(world.brokers, random);
    if (broker?.isUp !== true) return;
    if (random() < 0.5) persist(world, broker.node);
    if (broker.storedEnd === broker.records.length) return;
    flush(world, broker.node, random() < 0.3 ? Infinity : 1);
  },
  persist(world: World, random: Random) {
    const broker = pick(world.brokers, random);
    if (broker?.isUp === true) persist(world, broker.node);
  },
  open(world: World, random: Random) {
    const broker = pick(world.brokers, random);
    const role = broker?.core.role;
    if (broker?.isUp !== true || role?.kind !== 'follower') return;
    if (role.phase !== 'closed' && random() < 0.5) {
      feed(world, broker.node, { kind: 'stream-closed', stream: role.stream });
    }
    feed(world, broker.node, { kind: 'leader-reachable', node: role.leader });
    if (random() < 0.3) return;
    let index = world.messages.findIndex(isOfOpening);
    while (index >= 0) {
      deliver(world, index);
      index = world.messages.findIndex(isOfOpening);
    }
  },
  copy(world: World, random: Random) {
    const leader = pick(leaders(world), random);
    const follower = pick(world.brokers, random);
    if (leader === undefined || follower === undefined || leader === follower) return;
    copy(world, leader.node, follower.node);
    if (random() < 0.3) flush(world, follower.node);
  },
  deliver(world: World, random: Random) {
    const index = Math.floor(random() * world.messages.length);
    if (random() < 0.1) world.messages.splice(index, 1);
    else deliver(world, index);
  },
  /** On a stream what is oldest arrives first; proposals and answers to rounds take their time. */
  deliverOldest(world: World) {
    const index = world.messages.findIndex(isOfStream);
    if (index >= 0) deliver(world, index);
  },
  metadata(world: World, random: Random) {
    const broker = pick(world.brokers, random);
    if (broker !== undefined) applyMetadata(world, broker.node, random() < 0.5);
  },
  decide(world: World) {
    const { controller } = world;
    const before = controller.leader;
    decide(controller);
    if (before === undefined && controller.leader !== undefined) refill(world);
  },
  askAgain(world: World, random: Random) {
    const broker = pick(world.brokers, random);
    const metadata = broker?.core.metadata;
    if (broker === undefined || metadata === undefined) return;
    feed(world, broker.node, { kind: 'promise-asked', leaderEpoch: metadata.leaderEpoch });
  },
  round(world: World, random: Random) {
    if (world.controller.leaderEpoch <= 7 && random() < 0.7) openRound(world.controller);
  },
  fence(world: World, random: Random) {
    const node = pick(world.controller.isr, random);
    if (node === undefined || (brokerOf(world, node).isUp && random() < 0.7)) return;
    fence(world.controller, node);
  },
  tick(world: World, random: Random) {
    const leader = pick(leaders(world), random);
    if (leader === undefined) return;
    const isLong = random() < 0.3;
    world.nowMs += isLong ? 70_000 : 200;
    const ableToServeMs = isLong ? 70_000 : 200;
    feed(world, leader.node, { kind: 'tick', nowMs: world.nowMs, ableToServeMs });
  },
  unknownOutcome(world: World, random: Random) {
    const leader = pick(leaders(world), random);
    if (leader?.core.role.kind !== 'leader' || random() < 0.5) return;
    const pending = leader.core.role.pending;
    if (pending === undefined) return;
    const { proposal } = pending.proposal;
    const answer = { kind: 'unknown' } as const;
    feed(world, leader.node, { kind: 'proposal-answered', proposal, answer });
  },
  crash(world: World, random: Random) {
    const broker = pick(world.brokers, random);
    if (broker?.isUp !== true || random() < 0.5) return;
    crash(world, broker.node, Math.floor(random() * 3));
    const { controller } = world;
    controller.answers = controller.answers.filter(({ nodeId }) => nodeId !== broker.node);
  },
  lose(world: World, random: Random) {
    const broker = pick(world.brokers, random);
    if (broker === undefined || broker.isUp || broker.hasLostStorage || random() < 0.7) return;
    const lost = world.brokers.filter((other) => other.hasLostStorage).length + 1;
    const { minInsyncReplicas, semiSyncReplicas } = world.options;
    if (lost > Math.max(minInsyncReplicas, semiSyncReplicas) - 1) return;
    loseStorage(world, broker.node);
  },
  replaceDisk(world: World, random: Random) {
    const broker = pick(world.brokers, random);
    const { production } = world.controller;
    const isLast = world.brokers.some(
      (other) => other.hasLostStorage && (other !== broker || production === undefined),
    );
    if (broker?.isUp !== true || isLast || world.controller.leader === broker.node) return;
    if (random() < 0.5) fence(world.controller, broker.node);
    crash(world, broker.node);
    loseStorage(world, broker.node);
    restart(world, broker.node);
  },
  restart(world: World, random: Random) {
    const broker = pick(world.brokers, random);
    if (broker === undefined || broker.isUp) return;
    const wasLeader = world.controller.leader === broker.node;
    if (wasLeader && random() < 0.5) openRound(world.controller);
    const { production } = world.controller;
    restart(world, broker.node, production === undefined || random() < 0.7);
    if (production !== undefined && random() < 0.5) heartbeat(world, broker);
  },
  heartbeat(world: World, random: Random) {
    const broker = pick(world.brokers, random);
    if (broker?.isUp === true) heartbeat(world, broker);
  },
  /** The session of a broker that lives ends, and it is heard of again. */
  flap(world: World, random: Random) {
    const broker = pick(world.brokers, random);
    if (broker?.isUp !== true || world.controller.leader === broker.node) return;
    fence(world.controller, broker.node);
    if (random() < 0.8) heartbeat(world, broker);
  },
};

const weights: Record<keyof typeof actions, number> = {
  append: 4,
  again: 4,
  flush: 10,
  persist: 3,
  open: 4,
  copy: 10,
  deliver: 6,
  deliverOldest: 14,
  metadata: 6,
  decide: 3,
  askAgain: 1,
  round: 1,
  fence: 1,
  tick: 1,
  unknownOutcome: 1,
  crash: 1,
  lose: 1,
  replaceDisk: 0,
  restart: 2,
  heartbeat: 0,
  flap: 0,
};

function heartbeat(world: World, { node, core, applied }: TestBroker): void {
  const { production } = world.controller;
  if (production === undefined) return;
  const known = production.revisions[applied - 1] ?? revision(0);
  production.heartbeat(node, core.brokerEpoch, known);
  production.tell(world.controller);
}

function isOfOpening(message: Message): boolean {
  return 'effect' in message && ['open-stream', 'answer-open'].includes(message.effect.kind);
}

function isOfStream(message: Message): boolean {
  return isOfOpening(message) || ('effect' in message && message.effect.kind === 'report');
}

function isAction(name: string): name is keyof typeof actions {
  return name in actions;
}

const plainBag = Object.keys(actions)
  .filter(isAction)
  .flatMap((name) => Array.from({ length: weights[name] }, () => name));
const diskBag = [...plainBag, 'replaceDisk', 'replaceDisk', 'fence', 'fence'] as const;
/** What goes on between the faults; a controller of its own takes more steps to get anywhere. */
const productionBag = Object.entries({
  heartbeat: 8,
  flap: 1,
  deliverOldest: 14,
  deliver: 12,
  open: 6,
  copy: 8,
  flush: 6,
  persist: 4,
  metadata: 12,
  decide: 6,
  append: 4,
}).flatMap(([name, weight]) => (isAction(name) ? Array.from({ length: weight }, () => name) : []));

function bagOf({ replacesDisks, isProduction }: WalkOptions): readonly (keyof typeof actions)[] {
  const bag = replacesDisks === true ? diskBag : plainBag;
  return isProduction === true ? [...bag, ...productionBag] : bag;
}

function leaders(world: World): TestBroker[] {
  return world.brokers.filter(({ isUp, core }) => isUp && core.role.kind === 'leader');
}

function pick<Item>(items: readonly Item[], random: Random): Item | undefined {
  return items[Math.floor(random() * items.length)];
}

/** mulberry32: small, fast, and the same everywhere. */
function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
