/**
 * One member of the quorum: `step` takes what happened and says what to do. Dispatch only; each
 * question is answered in its own file.
 *
 * The machine never throws for anything that arrives from outside: a message that is late, foreign,
 * repeated or impossible changes nothing (rule B4.16).
 */
import { type LogIndex, logIndex } from '../../../proto/model/offset.ts';
import { onAccepted, onPeerLost, onRejected } from './answers.ts';
import { onFlushed } from './commit.ts';
import type { Effect, Snapshot } from './effects.ts';
import {
  campaign,
  isUnled,
  onPeerGone,
  onPreVoteRequest,
  onPreVoteResponse,
  onVoteRequest,
  onVoteResponse,
} from './election.ts';
import type { LogEntry } from './entry.ts';
import { onAppendRequest } from './follower.ts';
import type { Input } from './inputs.ts';
import { checkQuorum, onLeaderTick, onPropose } from './leader.ts';
import { LogView } from './log-view.ts';
import { onChangeVoters } from './membership.ts';
import type { Envelope } from './messages.ts';
import { onRead } from './read-index.ts';
import { replicate } from './replicate.ts';
import { adoptTerm } from './roles.ts';
import { everyRule, type Rules } from './rules.ts';
import { onSnapshotChunk } from './snapshot-install.ts';
import { onSnapshotProgress } from './snapshot-send.ts';
import { onSnapshotTaken } from './snapshot-take.ts';
import type { HardState, RaftState, RaftTiming } from './state.ts';
import { onTransfer } from './transfer.ts';
import { beginTurn, configurationOf, send, type Turn } from './turn.ts';
import type { VoterId } from './voter.ts';

/** What a member begins with: what its store held. */
export interface MemberStart {
  readonly self: VoterId;
  readonly timing: RaftTiming;
  readonly hard: HardState;
  readonly snapshot: Snapshot | undefined;
  /** The position before the first entry; at or before the snapshot. */
  readonly base: { readonly index: LogIndex; readonly term: HardState['term'] };
  readonly entries: readonly LogEntry[];
  readonly now: number;
  readonly random: number;
  readonly rules?: Rules;
}

/** Terms beyond are no terms: nothing could be elected after them (rule B4.17). */
const termMax = Number.MAX_SAFE_INTEGER - 1;

export function createMember(start: MemberStart): RaftState {
  const { self, timing, hard, snapshot, entries, now } = start;
  const log = LogView.from(start.base, entries);
  const covered = snapshot?.index ?? logIndex(0);
  const configurations = entries.flatMap(({ index, body }) =>
    body.kind === 'config' && index > covered ? [{ index, voters: body.voters }] : [],
  );
  const state: RaftState = {
    self,
    timing,
    rules: start.rules ?? everyRule,
    hard,
    log,
    snapshot,
    configurations: [{ index: covered, voters: snapshot?.voters ?? [] }, ...configurations],
    commitIndex: covered,
    flushedIndex: log.lastIndex,
    leader: undefined,
    leaderHeardAt: Number.NEGATIVE_INFINITY,
    // A member that has just started has heard no leader. It listens for a few heartbeats; if there is a
    // leader, the others refuse its pre-vote, so being early disturbs nobody (rule B4.5).
    electionDueAt: now + Math.floor(timing.electionMs * (0.25 + 0.5 * start.random)),
    campaign: 0,
    incoming: undefined,
    role: { kind: 'follower' },
  };
  // Whoever is the only voter has nobody to wait for.
  const [first, ...others] = configurationOf(state).voters;
  if (first?.id !== self) return state;
  if (others.length === 0) return { ...state, electionDueAt: now };
  // Nobody has led since the formation: the first voter soon asks the others, who have met just before.
  return isUnled(state)
    ? { ...state, electionDueAt: now + Math.floor(timing.electionMs * firstElectionShare) }
    : state;
}

/** Of the election timeout: time for the voters of a formation to connect again. */
const firstElectionShare = 0.02;

/** Takes a batch of inputs in order, then sends what the batch as a whole calls for. */
export function step(
  state: RaftState,
  inputs: readonly Input[],
): readonly [RaftState, readonly Effect[]] {
  const effects: Effect[] = [];
  let current = state;
  let last: Turn | undefined;
  for (const input of inputs) {
    last = beginTurn(current, input, effects);
    // A leader that stood still first asks itself whether it still leads (rule B4.6).
    checkQuorum(last);
    take(last, input);
    current = last.state;
  }
  if (last === undefined) return [current, effects];
  replicate(last);
  return [last.state, effects];
}

/** When the member wants its next tick at the latest. */
export function wakeAt(state: RaftState): number {
  return state.role.kind === 'leader' ? state.role.heartbeatDueAt : state.electionDueAt;
}

function take(turn: Turn, input: Input): void {
  switch (input.kind) {
    case 'tick':
      return onTick(turn);
    case 'message':
      return onMessage(turn, input.message);
    case 'propose':
      return onPropose(turn, input.id, input.data);
    case 'read':
      return onRead(turn, input.id);
    case 'change-voters':
      return onChangeVoters(turn, input.id, input.change);
    case 'transfer':
      return onTransfer(turn, input.id, input.to);
    case 'flushed':
      return onFlushed(turn, input.last);
    case 'peer-lost':
      return onPeerLost(turn, input.peer);
    case 'peer-gone':
      return onPeerGone(turn, input.node);
    case 'snapshot-taken':
      return onSnapshotTaken(turn, input);
  }
}

function onTick(turn: Turn): void {
  if (turn.state.role.kind === 'leader') onLeaderTick(turn);
  else if (turn.now >= turn.state.electionDueAt) campaign(turn, 'timeout');
}

function onMessage(turn: Turn, message: Envelope): void {
  const { self, hard } = turn.state;
  // Meant for another node, or for this node with the storage that it had before (rule B4.9).
  if (message.to !== self || message.from === self || message.term > termMax) return;
  const { body } = message;
  // These two are asked of members of any term and change none.
  if (body.kind === 'pre-vote-request') return onPreVoteRequest(turn, message.from, body);
  if (body.kind === 'pre-vote-response') return onPreVoteResponse(turn, message, body);
  if (body.kind === 'vote-request') return onVoteRequest(turn, message, body);
  adoptTerm(turn, message.term);
  if (message.term < hard.term) return onOutdated(turn, message);
  onCurrent(turn, message);
}

/** A message of the present term. */
function onCurrent(turn: Turn, message: Envelope): void {
  const { body, from } = message;
  switch (body.kind) {
    case 'vote-response':
      return onVoteResponse(turn, from, body);
    case 'append-request':
      return onAppendRequest(turn, message, body);
    case 'append-accepted':
      return onAccepted(turn, from, body);
    case 'append-rejected':
      return onRejected(turn, from, body);
    case 'snapshot-chunk':
      return onSnapshotChunk(turn, message, body);
    case 'snapshot-progress':
      return onSnapshotProgress(turn, from, body);
    case 'timeout-now':
      if (turn.state.leader === from || turn.state.leader === undefined) campaign(turn, 'transfer');
      return;
    case 'pre-vote-request':
    case 'pre-vote-response':
    case 'vote-request':
      return;
  }
}

/** A leader of an earlier term is told that it was replaced; anything else of that time is over. */
function onOutdated(turn: Turn, { from, body }: Envelope): void {
  if (body.kind !== 'append-request' && body.kind !== 'snapshot-chunk') return;
  const hint = turn.state.log.last;
  const { round } = body;
  const rejectedIndex = hint.index;
  send(turn, from, { kind: 'append-rejected', rejectedIndex, hint, round });
}
