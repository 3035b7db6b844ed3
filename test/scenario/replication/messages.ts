/** Messages between the nodes of a test world: the effects that leave a node, until delivered. */

import type { Effect } from '../../../broker/replication/core/effects.ts';
import type { ProposalAnswer } from '../../../broker/replication/core/inputs.ts';
import type { NodeId } from '../../../proto/model/ids.ts';
import { brokerEpoch, type LeaderEpoch } from '../../../proto/model/offset.ts';
import { answerRound, type Controller, decideProposal, openRound } from './controller-twin.ts';
import { brokerOf, feed, type World } from './world.ts';

type Sent = Extract<
  Effect,
  {
    kind:
      | 'answer-open'
      | 'open-stream'
      | 'report'
      | 'propose'
      | 'answer-promise'
      | 'resign'
      | 'hand-over-ready';
  }
>;

/** One message in flight. A proposal's answer travels back as a message of its own. */
export type Message =
  | { readonly from: NodeId; readonly incarnation: number; readonly effect: Sent }
  | {
      readonly to: NodeId;
      readonly incarnation: number;
      readonly proposal: number;
      readonly leaderEpoch: number;
      readonly answer: ProposalAnswer;
    };

/** Delivers one message; of those in flight, any may be next. */
export function deliver(world: World, index: number): void {
  const [message] = world.messages.splice(index, 1);
  if (message === undefined) return;
  if ('answer' in message) {
    const { to, proposal, answer } = message;
    const { core } = brokerOf(world, to);
    // An answer of an earlier incarnation or epoch died with its connection or its request.
    const isCurrent = core.role.kind === 'leader' && core.role.epoch === message.leaderEpoch;
    if (core.brokerEpoch !== message.incarnation || !isCurrent) return;
    feed(world, to, { kind: 'proposal-answered', proposal, answer });
    return;
  }
  dispatch(world, message.from, message.effect, message.incarnation);
}

/** A message as one line, for transcripts and for choosing among those in flight. */
export function describe(message: Message): string {
  if ('answer' in message) return `proposal-answered to ${message.to}`;
  const { effect, from } = message;
  const to = 'leader' in effect ? ` to ${effect.leader}` : '';
  const follower = 'follower' in effect ? ` to ${effect.follower}` : '';
  return `${effect.kind} from ${from}${to}${follower}`;
}

function dispatch(world: World, from: NodeId, effect: Sent, incarnation: number): void {
  const { controller } = world;
  switch (effect.kind) {
    case 'open-stream': {
      const { leader, ...opened } = effect;
      return feed(world, leader, { ...opened, kind: 'follower-opened', follower: from });
    }
    case 'report': {
      const { leader, ...reported } = effect;
      return feed(world, leader, { ...reported, kind: 'follower-reported', follower: from });
    }
    case 'answer-open': {
      const { follower, ...answered } = effect;
      // As the intake of a follower takes it: a leader also refuses a stream that it had started.
      if (answered.answer.kind === 'refused')
        return feed(world, follower, { kind: 'stream-closed', stream: answered.stream });
      return feed(world, follower, { ...answered, kind: 'stream-answered' });
    }
    case 'propose': {
      const { proposal } = effect;
      const answer = decideProposal(controller, from, proposal, isUp(world));
      const { leaderEpoch } = proposal;
      const reply = { to: from, incarnation, proposal: proposal.proposal, leaderEpoch, answer };
      world.messages.push(reply);
      refill(world);
      return;
    }
    case 'answer-promise':
      return answerRound(controller, from, effect);
    case 'resign':
      return resign(controller, from, incarnation, effect.leaderEpoch);
    case 'hand-over-ready':
      if (controller.leader === from) openRound(controller, effect.successor);
      return;
  }
}

function isUp(world: World): (node: NodeId) => boolean {
  return (node) => brokerOf(world, node).isUp;
}

function resign(
  controller: Controller,
  from: NodeId,
  ...[incarnation, epoch]: [number, LeaderEpoch]
): void {
  if (controller.production !== undefined) {
    controller.production.resign(from, brokerEpoch(incarnation), epoch);
    controller.production.tell(controller);
    return;
  }
  if (controller.leader === from && controller.leaderEpoch === epoch) openRound(controller);
}

/** A replica that was taken into the ISR again has refilled what it lost. */
export function refill(world: World): void {
  for (const broker of world.brokers) {
    if (!broker.hasLostStorage || world.controller.suspects.includes(broker.node)) continue;
    if (broker.isUp && world.controller.isr.includes(broker.node)) broker.hasLostStorage = false;
  }
}
