/**
 * Leading a term: begins it with an entry of its own, orders what is proposed, and steps down when it
 * no longer hears a majority.
 *
 * Invariants: (1) a leader never cuts its log; (2) what it may commit by counting begins at
 * `termStart` (rule B4.4); (3) after a stall its own doubts come before any request (rule B4.6).
 */
import { logIndex } from '../../../proto/model/offset.ts';
import type { RequestId } from './inputs.ts';
import { checkChange } from './membership.ts';
import { appendOwn } from './own-entries.ts';
import { type Progress, startProgress } from './progress.ts';
import { becomeFollower } from './roles.ts';
import type { LeaderRole, RaftState } from './state.ts';
import { checkTransfer } from './transfer.ts';
import {
  configurationOf,
  configurationsInPlay,
  leaderOf,
  patch,
  patchLeader,
  type Turn,
  tell,
} from './turn.ts';
import { majorityReached, type VoterId } from './voter.ts';

export function becomeLeader(turn: Turn, votes: ReadonlySet<VoterId>): void {
  const { state, now } = turn;
  const next = logIndex(state.log.lastIndex + 1);
  const progress = new Map<VoterId, Progress>();
  for (const { voters } of configurationsInPlay(state)) {
    for (const { id } of voters) {
      if (id !== state.self) progress.set(id, startProgress(next, now));
    }
  }
  patch(turn, {
    leader: state.self,
    leaderHeardAt: now,
    incoming: undefined,
    role: {
      kind: 'leader',
      termStart: next,
      progress,
      round: 1,
      isBroadcastDue: true,
      heartbeatDueAt: now + state.timing.heartbeatMs,
      reads: [],
      change: undefined,
      transfer: undefined,
    },
  });
  appendOwn(turn, { kind: 'noop' });
  tell(turn, { event: 'quorum-leader', term: state.hard.term, votes: [...votes] });
}

export function onPropose(turn: Turn, id: RequestId, data: Uint8Array): void {
  const role = leaderOf(turn);
  if (role === undefined || role.transfer !== undefined) {
    const reason = role === undefined ? 'this node does not lead' : 'the leadership is handed over';
    turn.effects.push({ kind: 'rejected', id, code: 'NOT_CONTROLLER', reason });
    return;
  }
  appendOwn(turn, { kind: 'command', data });
  turn.effects.push({ kind: 'proposed', id, index: turn.state.log.lastIndex });
}

/** Steps down if the time in which a majority was heard has run out. Comes before every input. */
export function checkQuorum(turn: Turn): void {
  const role = leaderOf(turn);
  if (role === undefined || !turn.state.rules.checksQuorum) return;
  if (turn.now - quorumHeardAt(turn.state, role, turn.now) < turn.state.timing.electionMs) return;
  becomeFollower(turn, 'no-majority-heard');
}

/** The latest time by which a majority of the voters had been heard; the own voice is always heard. */
export function quorumHeardAt(state: RaftState, role: LeaderRole, now: number): number {
  const heardAt = majorityReached(configurationOf(state), (id) =>
    id === state.self ? now : (role.progress.get(id)?.heardAt ?? Number.NEGATIVE_INFINITY),
  );
  return heardAt ?? now;
}

export function onLeaderTick(turn: Turn): void {
  const role = leaderOf(turn);
  if (role === undefined) return;
  if (turn.now >= role.heartbeatDueAt) {
    patchLeader(turn, {
      // A new round, so that a refusal of this heartbeat can be told from a late one of an earlier.
      round: role.round + 1,
      isBroadcastDue: true,
      heartbeatDueAt: turn.now + turn.state.timing.heartbeatMs,
      progress: new Map([...role.progress].map(([id, value]) => [id, retried(turn, value)])),
    });
  }
  checkChange(turn);
  checkTransfer(turn);
}

/** What waits for an answer that may have been lost is tried again; a chunk is large and waits longer. */
function retried(turn: Turn, progress: Progress): Progress {
  const chunkSentAt = progress.snapshot?.sentAt ?? Number.NEGATIVE_INFINITY;
  const isPatient =
    progress.mode === 'snapshot' && turn.now - chunkSentAt < turn.state.timing.electionMs;
  return progress.isWaiting && !isPatient ? { ...progress, isWaiting: false } : progress;
}
