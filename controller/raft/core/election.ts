/**
 * Standing for election, and voting.
 *
 * A member first asks whether it would win (pre-vote), which changes nothing anywhere; only then does
 * it raise the term. So a member that was cut off comes back without disturbing anybody (rule B4.5).
 *
 * Invariants: (1) one vote a term, durable before it is told (B4.1); (2) votes go only to logs that
 * are up to date; (3) a damaged log neither stands nor votes (B4.12).
 */
import { term as makeTerm } from '../../../proto/model/offset.ts';
import type { LogPosition } from './entry.ts';
import { becomeLeader } from './leader.ts';
import { isUpToDate } from './log-view.ts';
import type {
  Envelope,
  PreVoteRequest,
  PreVoteResponse,
  VoteRequest,
  VoteResponse,
} from './messages.ts';
import { adoptTerm, becomeFollower } from './roles.ts';
import type { RaftState } from './state.ts';
import {
  configurationOf,
  configurationsInPlay,
  nextElectionAt,
  patch,
  persistHardState,
  send,
  sendEarly,
  type Turn,
  tell,
} from './turn.ts';
import { type Configuration, isMajority, isVoterIn, nodeIdOf, type VoterId } from './voter.ts';

/** The election is due: stands, if it may. */
export function campaign(turn: Turn, reason: 'timeout' | 'transfer'): void {
  const { state } = turn;
  patch(turn, { electionDueAt: nextCampaignAt(turn) });
  if (!mayStand(state)) return;
  const isLeaderless = reason === 'timeout' && state.leader === undefined;
  const isAlone = configurationOf(state).voters.length === 1;
  const why = isAlone ? 'only-voter' : isLeaderless ? 'no-leader' : reason;
  if (reason === 'transfer' || !state.rules.preVotes) return stand(turn, reason === 'transfer');

  const attempt = state.campaign + 1;
  const granted = new Set([state.self]);
  patch(turn, { campaign: attempt, leader: undefined, role: { kind: 'pre-candidate', granted } });
  tell(turn, {
    event: 'quorum-campaign',
    term: state.hard.term,
    isPreVote: true,
    reason: why,
  });
  askOthers(turn, { kind: 'pre-vote-request', campaign: attempt, last: state.log.last });
  maybeStand(turn);
}

export function onPreVoteRequest(turn: Turn, from: VoterId, request: PreVoteRequest): void {
  const { state } = turn;
  const isGranted = wouldVote(turn, from, request);
  // Nothing here depends on the disk, and nothing changes.
  sendEarly(turn, from, { kind: 'pre-vote-response', campaign: request.campaign, isGranted });
  // A rival that is to wait may have refused this one while it still heard the leader. It does not
  // any more: asked again at once, it agrees, and nobody waits for the next campaign. It is to wait
  // because its log lacks something, or by its identity where the logs are equal.
  const { role, campaign: attempt, log } = state;
  const isToWait = !isUpToDate(request.last, log.last) || from > state.self;
  if (isGranted || role.kind !== 'pre-candidate' || !isToWait) return;
  sendEarly(turn, from, { kind: 'pre-vote-request', campaign: attempt, last: log.last });
}

export function onPreVoteResponse(turn: Turn, message: Envelope, answer: PreVoteResponse): void {
  adoptTerm(turn, message.term);
  const { role } = turn.state;
  if (role.kind !== 'pre-candidate' || answer.campaign !== turn.state.campaign) return;
  if (!answer.isGranted) return;
  const granted = new Set(role.granted).add(message.from);
  patch(turn, { role: { kind: 'pre-candidate', granted } });
  maybeStand(turn);
}

export function onVoteRequest(turn: Turn, message: Envelope, request: VoteRequest): void {
  // While a leader is heard, strangers and the removed do not raise the term (rule B4.10).
  if (!request.isTransfer && isLeaderHeard(turn)) return;
  adoptTerm(turn, message.term);
  const { hard, rules, role } = turn.state;
  const isCurrent = message.term === hard.term;
  const isFree = hard.vote === undefined || hard.vote === message.from;
  const isGranted =
    isCurrent && isFree && role.kind !== 'leader' && mayVoteFor(turn.state, request.last);
  if (isGranted) {
    if (rules.keepsVote) persistHardState(turn, { ...hard, vote: message.from });
    patch(turn, { electionDueAt: nextElectionAt(turn) });
  }
  const answer = rules.persistsVote ? send : sendEarly;
  answer(turn, message.from, { kind: 'vote-response', isGranted });
}

export function onVoteResponse(turn: Turn, from: VoterId, answer: VoteResponse): void {
  const { role } = turn.state;
  if (role.kind !== 'candidate' || !answer.isGranted) return;
  patch(turn, { role: { ...role, granted: new Set(role.granted).add(from) } });
  maybeLead(turn);
}

/** The process of a peer is gone: if it led, nobody is heard any more, and the election is near. */
export function onPeerGone(turn: Turn, node: number): void {
  const { leader, timing, role } = turn.state;
  if (leader === undefined || nodeIdOf(leader) !== node || role.kind === 'leader') return;
  // Spread by chance, so that the members do not all stand at once.
  const spreadMs = Math.floor(timing.heartbeatMs * turn.random);
  patch(turn, {
    leader: undefined,
    leaderHeardAt: Number.NEGATIVE_INFINITY,
    electionDueAt: Math.min(turn.state.electionDueAt, turn.now + spreadMs),
  });
}

/** True while a leader, oneself included, was heard within the election timeout. */
function isLeaderHeard(turn: Turn): boolean {
  const { role, leaderHeardAt, timing } = turn.state;
  return role.kind === 'leader' || turn.now - leaderHeardAt < timing.electionMs;
}

function wouldVote(turn: Turn, from: VoterId, request: PreVoteRequest): boolean {
  const { state } = turn;
  if (isLeaderHeard(turn)) return false;
  if (!mayVoteFor(state, request.last)) return false;
  // Two that ask each other with equal logs would split the votes: the lower identity goes first.
  const isEqual = isUpToDate(state.log.last, request.last);
  const isRival = state.role.kind === 'pre-candidate' && isEqual;
  return !isRival || from < state.self;
}

/** Only a log that lacks nothing that this one has, and only by the word of a whole one. */
function mayVoteFor({ hard, rules, log }: RaftState, theirs: LogPosition): boolean {
  if (hard.damage !== undefined && rules.damagedAbstains) return false;
  return isUpToDate(theirs, log.last) || !rules.votesForUpToDate;
}

/** A pre-candidate stands once a majority would vote for it. */
function maybeStand(turn: Turn): void {
  const { role } = turn.state;
  if (role.kind !== 'pre-candidate') return;
  if (isMajority(configurationOf(turn.state), role.granted)) stand(turn, false);
}

/** Raises the term and votes for itself, durably before anybody is asked (rule B4.1). */
function stand(turn: Turn, isTransfer: boolean): void {
  const { self, hard, log } = turn.state;
  const term = makeTerm(hard.term + 1);
  becomeFollower(turn, 'higher-term');
  persistHardState(turn, { ...hard, term, vote: self });
  patch(turn, {
    role: { kind: 'candidate', granted: new Set([self]), isTransfer },
    leader: undefined,
    leaderHeardAt: Number.NEGATIVE_INFINITY,
    incoming: undefined,
    electionDueAt: nextCampaignAt(turn),
  });
  tell(turn, {
    event: 'quorum-campaign',
    term,
    isPreVote: false,
    reason: isTransfer ? 'transfer' : 'pre-vote-won',
  });
  askOthers(turn, { kind: 'vote-request', last: log.last, isTransfer });
  maybeLead(turn);
}

function maybeLead(turn: Turn): void {
  const { role } = turn.state;
  if (role.kind !== 'candidate') return;
  if (isMajority(configurationOf(turn.state), role.granted)) becomeLeader(turn, role.granted);
}

/**
 * A voter of any configuration that may still decide: one that is being removed may be the only one
 * left whose log is up to date (thesis §4.2.2).
 */
function mayStand(state: RaftState): boolean {
  const isSound = state.hard.damage === undefined || !state.rules.damagedAbstains;
  const isOwn = (configuration: Configuration) => isVoterIn(configuration, state.self);
  return state.role.kind !== 'leader' && isSound && configurationsInPlay(state).some(isOwn);
}

function askOthers(turn: Turn, request: PreVoteRequest | VoteRequest): void {
  for (const { id } of configurationOf(turn.state).voters) {
    if (id !== turn.state.self) send(turn, id, request);
  }
}

/**
 * An election that failed is tried again sooner than a silent leader is doubted; where nobody can lead
 * yet, sooner still: the voters of a formation come up at the same time, not at the same moment.
 */
function nextCampaignAt(turn: Turn): number {
  const { timing } = turn.state;
  const meanMs = isUnled(turn.state) ? timing.heartbeatMs : timing.electionMs / 2;
  return turn.now + Math.ceil(meanMs * (0.5 + turn.random));
}

/** True where only the formation is known, which is term 1: nobody has stood for election yet. */
export function isUnled({ hard, log, snapshot }: RaftState): boolean {
  return (
    hard.term === 1 && hard.vote === undefined && log.last.term === 1 && snapshot === undefined
  );
}
