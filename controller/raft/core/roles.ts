/**
 * Going back to follower: the one way out of every other role, and the one place where a term rises
 * because somebody else had a higher one.
 */
import type { Term } from '../../../proto/model/offset.ts';
import type { LeaderRole } from './state.ts';
import { leaderOf, nextElectionAt, patch, persistHardState, type Turn, tell } from './turn.ts';
import type { VoterId } from './voter.ts';

/** Takes over a higher term; the vote of the lower one is forgotten with it (rule B4.2). */
export function adoptTerm(turn: Turn, term: Term): void {
  if (term <= turn.state.hard.term) return;
  becomeFollower(turn, 'higher-term');
  persistHardState(turn, { ...turn.state.hard, term, vote: undefined });
  patch(turn, {
    leader: undefined,
    leaderHeardAt: Number.NEGATIVE_INFINITY,
    incoming: undefined,
  });
}

/** Ends any other role in the present term. */
export function becomeFollower(
  turn: Turn,
  reason: 'higher-term' | 'no-majority-heard' | 'removed',
): void {
  const role = leaderOf(turn);
  patch(turn, { role: { kind: 'follower' } });
  if (role === undefined) return;
  releaseRequests(turn, role);
  patch(turn, {
    leader: undefined,
    leaderHeardAt: Number.NEGATIVE_INFINITY,
    electionDueAt: nextElectionAt(turn),
  });
  tell(turn, { event: 'quorum-stepped-down', term: turn.state.hard.term, reason });
}

/** The leader of the present term was heard: nobody else is needed. */
export function hearLeader(turn: Turn, from: VoterId): void {
  const isKnown = turn.state.leader === from;
  patch(turn, {
    leader: from,
    leaderHeardAt: turn.now,
    electionDueAt: nextElectionAt(turn),
    role: { kind: 'follower' },
  });
  if (!isKnown) tell(turn, { event: 'quorum-follows', term: turn.state.hard.term, leader: from });
}

/** What waited for this leader is answered; proposals in the log are the driver's to fail. */
function releaseRequests(turn: Turn, role: LeaderRole): void {
  const reason = 'the leadership ended';
  for (const { id } of role.reads) {
    turn.effects.push({ kind: 'rejected', id, code: 'NOT_CONTROLLER', reason });
  }
  if (role.change !== undefined) {
    const code = role.change.index === undefined ? 'NOT_CONTROLLER' : 'OUTCOME_UNKNOWN';
    turn.effects.push({ kind: 'rejected', id: role.change.id, code, reason });
  }
  // Whoever asked for another leader has it, or will: this one has gone.
  if (role.transfer !== undefined) turn.effects.push({ kind: 'done', id: role.transfer.id });
}
