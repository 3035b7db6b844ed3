/** Runs a part of a test world until nothing changes any more: these nodes reach each other, no others. */
import type { NodeId } from '../../../proto/model/ids.ts';
import { deliver, type Message } from './messages.ts';
import { applyMetadata, brokerOf, copy, feed, flush, persist, type World } from './world.ts';

/** The controller as an end of a message. */
export type Place = NodeId | 'c';

/** Who sent a message and who gets it. */
export function ends(message: Message): readonly [Place, Place] {
  if ('answer' in message) return ['c', message.to];
  const { effect, from } = message;
  if (effect.kind === 'open-stream' || effect.kind === 'report') return [from, effect.leader];
  return effect.kind === 'answer-open' ? [from, effect.follower] : [from, 'c'];
}

/** Everything that can happen among these places happens, flushes included. */
export function settle(world: World, places: readonly Place[]): void {
  const nodes = places.filter((place) => place !== 'c');
  const isWithin = (message: Message) => ends(message).every((end) => places.includes(end));
  let before = '';
  for (let round = 0; round < 100; round++) {
    const after = fingerprint(world);
    if (after === before) return;
    before = after;
    for (const node of nodes) {
      if (places.includes('c')) applyMetadata(world, node);
      reopen(world, node, places);
      for (const other of nodes) pull(world, other, node);
      if (brokerOf(world, node).isUp) flush(world, node);
      persist(world, node);
    }
    let index = world.messages.findIndex(isWithin);
    while (index >= 0) {
      deliver(world, index);
      index = world.messages.findIndex(isWithin);
    }
  }
  throw new Error('the world does not settle');
}

function reopen(world: World, node: NodeId, places: readonly Place[]): void {
  const { role } = brokerOf(world, node).core;
  if (role.kind !== 'follower' || role.phase !== 'closed' || !places.includes(role.leader)) return;
  feed(world, node, { kind: 'leader-reachable', node: role.leader });
}

function pull(world: World, from: NodeId, to: NodeId): void {
  if (from === to) return;
  const { core } = brokerOf(world, to);
  let end = -1;
  while (core.log.end !== end) {
    end = core.log.end;
    if (!copy(world, from, to)) return;
  }
}

function fingerprint(world: World): string {
  const brokers = world.brokers.map(({ core, storedEnd, verifiedEpoch, applied }) => {
    const { log, role, watermark } = core;
    const phase = role.kind === 'follower' ? role.phase : '';
    const pending = role.kind === 'leader' ? role.proposals : '';
    return [log.end, storedEnd, verifiedEpoch, applied, role.kind, phase, pending, watermark];
  });
  return JSON.stringify([brokers, world.messages.length, world.controller.versions.length]);
}
