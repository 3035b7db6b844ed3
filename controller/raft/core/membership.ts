/**
 * Changing the voters, one at a time (rule B4.7).
 *
 * An added voter first catches up as a learner: it receives the log and counts for nothing. Then its
 * configuration is appended, and counts from that moment at every member that has it.
 *
 * Invariants: (1) neighbouring configurations differ by one voter, so their majorities share a member;
 * (2) at most one configuration is not committed; (3) none is appended before an entry of the leader's
 * own term is committed: until then an older leader's change may still be undecided.
 */
import { logIndex } from '../../../proto/model/offset.ts';
import type { RequestId, VoterChange } from './inputs.ts';
import { appendOwn } from './own-entries.ts';
import { startProgress } from './progress.ts';
import { becomeFollower } from './roles.ts';
import type { LeaderRole, PendingChange, RaftState } from './state.ts';
import {
  configurationOf,
  leaderOf,
  patchLeader,
  sendEarly,
  setProgress,
  type Turn,
  tell,
} from './turn.ts';
import { type Configuration, isVoterIn, type Voter } from './voter.ts';

/** Election timeouts that a learner has to catch up. */
const catchUpTimeoutsMax = 20;

export function onChangeVoters(turn: Turn, id: RequestId, change: VoterChange): void {
  const role = leaderOf(turn);
  if (role === undefined) {
    const reason = 'this node does not lead';
    turn.effects.push({ kind: 'rejected', id, code: 'NOT_CONTROLLER', reason });
    return;
  }
  const reason = whyNot(turn.state, role, change);
  if (reason !== undefined) {
    turn.effects.push({ kind: 'rejected', id, code: 'INVALID_VOTERS', reason });
    return;
  }
  if (isDone(turn.state, change)) {
    turn.effects.push({ kind: 'done', id });
    return;
  }
  beginChange(turn, id, change);
}

/** A learner that reached its target quickly enough is made a voter; a slow one gets another round. */
export function maybeAdmit(turn: Turn, from: Voter['id']): void {
  const role = leaderOf(turn);
  const pending = role?.change;
  if (pending?.change.kind !== 'add' || pending.index !== undefined) return;
  const { voter } = pending.change;
  const progress = role?.progress.get(voter.id);
  if (voter.id !== from || progress === undefined || progress.match < pending.target) return;
  const isQuick = turn.now - pending.roundStartedAt <= turn.state.timing.electionMs;
  if (isQuick) appendConfiguration(turn, pending);
  else {
    const target = turn.state.log.lastIndex;
    patchLeader(turn, { change: { ...pending, target, roundStartedAt: turn.now } });
  }
}

/** A learner that does not catch up in time is given up; nothing was changed. */
export function checkChange(turn: Turn): void {
  const role = leaderOf(turn);
  const pending = role?.change;
  if (role === undefined || pending?.change.kind !== 'add') return;
  if (pending.index !== undefined || turn.now < pending.deadlineAt) return;
  const progress = new Map(role.progress);
  progress.delete(pending.change.voter.id);
  patchLeader(turn, { change: undefined, progress });
  const reason = 'the added voter did not catch up in time';
  turn.effects.push({ kind: 'rejected', id: pending.id, code: 'INVALID_VOTERS', reason });
}

/** A leader that is no longer a voter has done its work: it led until this was committed. */
export function onConfigurationCommitted(turn: Turn, configuration: Configuration): void {
  const { index, voters } = configuration;
  tell(turn, { event: 'quorum-voters', index, voters: voters.map(({ id }) => id) });
  const role = leaderOf(turn);
  if (role === undefined) return;
  if (role.change?.index === index) {
    turn.effects.push({ kind: 'done', id: role.change.id });
    patchLeader(turn, { change: undefined });
  }
  if (isVoterIn(configurationOf(turn.state), turn.state.self)) return;
  nameSuccessor(turn, role);
  becomeFollower(turn, 'removed');
}

function whyNot(state: RaftState, role: LeaderRole, change: VoterChange): string | undefined {
  const latest = configurationOf(state);
  const isPending = role.change !== undefined || latest.index > state.commitIndex;
  if (isPending && state.rules.oneChangeAtATime) return 'another voter change is under way';
  if (state.commitIndex < role.termStart && state.rules.changesInOwnTerm) {
    return 'the leader has not committed in its term yet';
  }
  if (role.transfer !== undefined) return 'the leadership is handed over';
  if (change.kind === 'remove') {
    return latest.voters.length === 1 ? 'the last voter cannot be removed' : undefined;
  }
  const { nodeId, id } = change.voter;
  const other = latest.voters.find((voter) => voter.nodeId === nodeId && voter.id !== id);
  return other === undefined
    ? undefined
    : 'the node votes with another storage: remove that voter first';
}

function isDone(state: RaftState, change: VoterChange): boolean {
  const id = change.kind === 'add' ? change.voter.id : change.id;
  return isVoterIn(configurationOf(state), id) === (change.kind === 'add');
}

function beginChange(turn: Turn, id: RequestId, change: VoterChange): void {
  const { log, timing } = turn.state;
  const pending: PendingChange = {
    id,
    change,
    index: undefined,
    target: log.lastIndex,
    roundStartedAt: turn.now,
    deadlineAt: turn.now + timing.electionMs * catchUpTimeoutsMax,
  };
  if (change.kind === 'remove') {
    appendConfiguration(turn, pending);
    return;
  }
  patchLeader(turn, { change: pending });
  setProgress(turn, change.voter.id, startProgress(logIndex(log.lastIndex + 1), turn.now));
  // An empty learner is found out by the first answer to a message that it cannot place.
  patchLeader(turn, { isBroadcastDue: true });
}

function appendConfiguration(turn: Turn, pending: PendingChange): void {
  const { voters } = configurationOf(turn.state);
  const { change } = pending;
  const changed =
    change.kind === 'add'
      ? [...voters, change.voter]
      : voters.filter((voter) => voter.id !== change.id);
  appendOwn(turn, { kind: 'config', voters: changed });
  patchLeader(turn, { change: { ...pending, index: turn.state.log.lastIndex } });
}

/** The voter that has the most is asked to stand at once, so that nobody waits for a timeout. */
function nameSuccessor(turn: Turn, role: LeaderRole): void {
  let best: { readonly id: Voter['id']; readonly match: number } | undefined;
  for (const { id } of configurationOf(turn.state).voters) {
    const match = role.progress.get(id)?.match ?? 0;
    if (best === undefined || match > best.match) best = { id, match };
  }
  if (best !== undefined) sendEarly(turn, best.id, { kind: 'timeout-now' });
}
