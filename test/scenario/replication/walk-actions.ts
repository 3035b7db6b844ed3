/** What can happen in a walk. Each action takes part of the world and chance, and may find nothing to do. */
import { revision } from '../../../proto/model/offset.ts';
import { decide, fence, openRound } from './controller-twin.ts';
import { deliver, type Message, refill } from './messages.ts';
import {
  applyMetadata,
  brokerOf,
  copy,
  crash,
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

export type Random = () => number;

export const actions = {
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
  /** A record at a level that rests on the leader alone. */
  weak(world: World, random: Random) {
    const leader = pick(leaders(world), random);
    if (leader === undefined || world.records >= (world.options.recordsMax ?? 7)) return;
    produce(world, leader.node, random() < 0.7 ? 'leader' : 'none');
  },
  lease(world: World, random: Random) {
    const broker = pick(world.brokers, random);
    if (broker !== undefined) feed(world, broker.node, { kind: 'lease', isHeld: random() < 0.6 });
  },
  /** Metadata that was told before is told again. */
  oldMetadata(world: World, random: Random) {
    const broker = pick(world.brokers, random);
    if (broker?.isUp !== true) return;
    const metadata = pick(world.controller.versions.slice(0, broker.applied), random);
    if (metadata !== undefined) feed(world, broker.node, { kind: 'metadata', metadata });
  },
  /** Somebody puts an older copy of the disk in its place, and nothing shows it. */
  loseUnnoticed(world: World, random: Random) {
    const broker = pick(world.brokers, random);
    if (broker === undefined || broker.isUp) return;
    broker.records.length = Math.floor(random() * (broker.records.length + 1));
    broker.storedEnd = broker.records.length;
  },
  /** The session of a broker that lives ends, and it is heard of again. */
  flap(world: World, random: Random) {
    const broker = pick(world.brokers, random);
    if (broker?.isUp !== true || world.controller.leader === broker.node) return;
    fence(world.controller, broker.node);
    if (random() < 0.8) heartbeat(world, broker);
  },
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

function leaders(world: World): TestBroker[] {
  return world.brokers.filter(({ isUp, core }) => isUp && core.role.kind === 'leader');
}

function pick<Item>(items: readonly Item[], random: Random): Item | undefined {
  return items[Math.floor(random() * items.length)];
}
