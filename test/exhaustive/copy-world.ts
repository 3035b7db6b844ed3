/**
 * Copies of a test world, and the text by which two worlds are the same. Committed facts and records
 * are immutable and shared.
 */
import type { PartitionState, Role } from '../../broker/replication/core/state.ts';
import { ends } from '../scenario/replication/network.ts';
import type { TestBroker, World } from '../scenario/replication/world.ts';

export function copyWorld(world: World): World {
  const { controller, ghost } = world;
  return {
    ...world,
    controller: {
      ...controller,
      answers: [...controller.answers],
      registered: new Map(controller.registered),
      versions: [...controller.versions],
    },
    brokers: world.brokers.map(copyBroker),
    messages: [...world.messages],
    ghost: {
      acks: ghost.acks.map((ack) => ({ ...ack, lostBy: new Set(ack.lostBy) })),
      leaders: new Map(ghost.leaders),
      trueWatermark: ghost.trueWatermark,
      tokens: [...ghost.tokens],
    },
    requests: world.requests.map((request) => ({ ...request })),
  };
}

/**
 * What tells two worlds apart as far as the future goes. Links are independent of each other, and time
 * stands still.
 */
export function worldKey(world: World): string {
  const { controller } = world;
  // Links are ordered, one independent of the other: sorting by link keeps the order within each.
  const messages = world.messages
    .map((message) => [ends(message).join(), JSON.stringify(message)] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return JSON.stringify([
    [controller.leader, controller.leaderEpoch, controller.partitionEpoch, controller.isr],
    [controller.elr, controller.semiSyncMembers, controller.suspects, controller.answers],
    controller.versions.length,
    world.brokers.map(brokerKey),
    messages,
    world.requests.map(({ answer }) => answer),
    world.ghost.acks.map(({ id, acks }) => [id, acks]),
  ]);
}

function brokerKey(broker: TestBroker): unknown {
  const { core, records } = broker;
  const { log, role } = core;
  return [
    broker.isUp,
    broker.applied,
    broker.storedEnd,
    broker.verifiedEpoch,
    broker.persisting,
    records.map(({ id, epoch }) => `${id}.${epoch}`).join(),
    [core.watermark, core.verifiedEpoch, core.forfeitedEpoch, core.streams, log.stored],
    roleKey(role),
  ];
}

function roleKey(role: Role): unknown {
  if (role.kind !== 'leader') return role;
  const { followers, committed, pending, semiSync, waiting } = role;
  const progress = [...followers].map(([node, { stream, phase, storedEnd, joinsAt }]) => [
    node,
    stream,
    phase,
    storedEnd,
    joinsAt,
  ]);
  const waits = [waiting.leader, waiting.semiSync, waiting.all].map((queue) =>
    queue.map(({ token }) => token),
  );
  const sets = [committed.partitionEpoch, committed.isr, committed.semiSyncMembers];
  return [role.epoch, role.epochStart, sets, pending, semiSync.acknowledgedEnd, progress, waits];
}

function copyBroker(broker: TestBroker): TestBroker {
  return {
    ...broker,
    core: copyCore(broker.core),
    records: [...broker.records],
    persisting: [...broker.persisting],
  };
}

function copyCore(core: PartitionState): PartitionState {
  return {
    ...core,
    log: { ...core.log, history: [...core.log.history] },
    role: copyRole(core.role),
  };
}

function copyRole(role: Role): Role {
  if (role.kind !== 'leader') return { ...role };
  const { followers, pending, semiSync, waiting, handOver } = role;
  return {
    ...role,
    followers: new Map([...followers].map(([node, progress]) => [node, { ...progress }])),
    pending: pending === undefined ? undefined : { ...pending },
    semiSync: { ...semiSync },
    waiting: {
      leader: [...waiting.leader],
      semiSync: [...waiting.semiSync],
      all: [...waiting.all],
    },
    handOver: handOver === undefined ? undefined : { ...handOver },
  };
}
