/**
 * What a leader learns from the answers of those it replicates to. An answer of an earlier term never
 * gets here, and one that says nothing new only shows that the member lives (rule B4.16).
 */
import { maybeCommit } from './commit.ts';
import { maybeAdmit } from './membership.ts';
import type { AppendAccepted, AppendRejected } from './messages.ts';
import { accepted, heard, lostStream, rejected } from './progress.ts';
import { releaseReads } from './read-index.ts';
import { maybeHandOver } from './transfer.ts';
import { leaderOf, setProgress, type Turn } from './turn.ts';
import type { VoterId } from './voter.ts';

export function onAccepted(turn: Turn, from: VoterId, answer: AppendAccepted): void {
  const progress = leaderOf(turn)?.progress.get(from);
  if (progress === undefined) return;
  const { now, state } = turn;
  const alive = heard(progress, { now, round: answer.round });
  // Nobody can agree with more than there is: such a number is not believed.
  const isPossible = answer.matchIndex <= state.log.lastIndex;
  setProgress(turn, from, isPossible ? accepted(alive, answer) : alive);
  maybeLeaveSnapshot(turn, from);
  maybeCommit(turn);
  releaseReads(turn);
  maybeAdmit(turn, from);
  maybeHandOver(turn);
}

export function onRejected(turn: Turn, from: VoterId, answer: AppendRejected): void {
  const progress = leaderOf(turn)?.progress.get(from);
  if (progress === undefined) return;
  const { now, state } = turn;
  const agreement = state.log.lastWithTerm(answer.hint.index, answer.hint.term);
  const moved = rejected(progress, answer, agreement);
  setProgress(turn, from, heard(moved, { now, round: answer.round }));
  releaseReads(turn);
}

/** The stream to a member ended. */
export function onPeerLost(turn: Turn, peer: VoterId): void {
  const progress = leaderOf(turn)?.progress.get(peer);
  if (progress !== undefined) setProgress(turn, peer, lostStream(progress));
}

/** A member that has what the snapshot covers goes on from the log. */
function maybeLeaveSnapshot(turn: Turn, from: VoterId): void {
  const progress = leaderOf(turn)?.progress.get(from);
  if (progress?.mode !== 'snapshot' || progress.match < turn.state.log.base.index) return;
  const { heardAt, ackedRound, match } = progress;
  setProgress(turn, from, {
    mode: 'stream',
    match,
    next: (match + 1) as typeof match,
    isWaiting: false,
    inFlight: [],
    inFlightBytes: 0,
    heardAt,
    ackedRound,
    snapshot: undefined,
  });
}
