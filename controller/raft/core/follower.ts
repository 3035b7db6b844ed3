/**
 * Taking entries from the leader of the term.
 *
 * Invariants: (1) nothing at or below the commit index is ever cut; (2) entries are taken only where
 * the one before them agrees, so logs that share an entry share all before it; (3) the answer leaves
 * after the flush (rule B4.3).
 */
import { invariant } from '../../../proto/model/invariant.ts';
import { type LogIndex, logIndex, type Term } from '../../../proto/model/offset.ts';
import { advanceCommit } from './commit.ts';
import type { LogEntry, LogPosition } from './entry.ts';
import type { AppendRequest, Envelope, MessageBody } from './messages.ts';
import { hearLeader } from './roles.ts';
import type { RaftState } from './state.ts';
import { patch, persistHardState, send, sendEarly, type Turn, tell } from './turn.ts';
import type { VoterId } from './voter.ts';

export function onAppendRequest(turn: Turn, message: Envelope, request: AppendRequest): void {
  if (turn.state.role.kind === 'leader' || !isWellFormed(message.term, request)) return;
  hearLeader(turn, message.from);
  const { state } = turn;
  if (contradicts(state, request)) return;
  const start = agreedStart(state, request);
  if (start === undefined) {
    const { index: rejectedIndex, term } = request.previous;
    const hint = state.log.lastWithTerm(rejectedIndex, term);
    const { round } = request;
    reply(turn, message.from, { kind: 'append-rejected', rejectedIndex, hint, round });
    return;
  }
  takeEntries(turn, request.entries);
  // The log agrees with the leader's up to here; beyond it may lie what an older leader left.
  const matchIndex = logIndex(Math.max(start, request.previous.index + request.entries.length));
  heal(turn, matchIndex);
  advanceCommit(turn, logIndex(Math.min(request.commitIndex, matchIndex)));
  reply(turn, message.from, { kind: 'append-accepted', matchIndex, round: request.round });
}

/** A damaged log that agrees with the leader beyond all it may have lost is whole again (rule B4.12). */
export function heal(turn: Turn, matchIndex: LogIndex): void {
  const { hard, log } = turn.state;
  if (hard.damage === undefined) return;
  const isBeyond = matchIndex >= hard.damage.lostTo;
  // Whoever leads a later term holds every committed entry of the earlier ones at that term's start.
  const isLaterTerm = (log.termAt(matchIndex) ?? 0) > hard.damage.term;
  if (!isBeyond && !isLaterTerm) return;
  persistHardState(turn, { ...hard, damage: undefined });
  tell(turn, { event: 'quorum-healed', index: matchIndex });
}

/** Answers for what the disk holds, so after the flush. */
export function reply(turn: Turn, to: VoterId, body: MessageBody): void {
  const answer = turn.state.rules.countsFlushed ? send : sendEarly;
  answer(turn, to, body);
}

/** The index up to which the logs are known to agree before the entries, or undefined. */
function agreedStart(state: RaftState, { previous }: AppendRequest): LogIndex | undefined {
  // What is committed here is in the log of every later leader.
  if (previous.index <= state.commitIndex) return state.commitIndex;
  return state.log.termAt(previous.index) === previous.term ? previous.index : undefined;
}

/** What is committed here would be another entry at the leader: no leader of ours says so. */
function contradicts({ log, commitIndex }: RaftState, { entries }: AppendRequest): boolean {
  const committedTerm = log.termAt(commitIndex);
  return entries.some(
    ({ index, term }) =>
      (index === commitIndex && term !== committedTerm) ||
      (index === commitIndex + 1 && term < (committedTerm ?? 0)),
  );
}

/** Appends what is missing; cuts first where an older leader's entries stand in the way. */
function takeEntries(turn: Turn, entries: readonly LogEntry[]): void {
  const { log, commitIndex } = turn.state;
  const first = entries.findIndex(
    ({ index, term }) => index > commitIndex && log.termAt(index) !== term,
  );
  const missing = first < 0 ? [] : entries.slice(first);
  const from = missing[0]?.index;
  if (from === undefined) return;
  if (from <= log.lastIndex) {
    if (!turn.state.rules.cutsConflicts) return;
    cut(turn, from);
  }
  const configurations = missing.flatMap(({ index, body }) =>
    body.kind === 'config' ? [{ index, voters: body.voters }] : [],
  );
  patch(turn, {
    log: turn.state.log.append(missing),
    configurations: [...turn.state.configurations, ...configurations],
  });
  turn.effects.push({ kind: 'append', entries: missing });
}

/** A configuration that is cut off reverts to the one before it (rule B4.7). */
function cut(turn: Turn, from: LogIndex): void {
  const { log, commitIndex, configurations, flushedIndex } = turn.state;
  invariant(from > commitIndex, 'what is committed is never cut');
  tell(turn, { event: 'quorum-log-cut', from, to: log.lastIndex });
  patch(turn, {
    log: log.cutFrom(from),
    configurations: configurations.filter(({ index }) => index < from),
    flushedIndex: logIndex(Math.min(flushedIndex, from - 1)),
  });
  turn.effects.push({ kind: 'cut', from });
}

/** Entries follow each other, and none is of a later term than the leader's. */
function isWellFormed(term: Term, { previous, entries }: AppendRequest): boolean {
  let last: LogPosition = previous;
  for (const entry of entries) {
    if (entry.index !== last.index + 1 || entry.term < last.term || entry.term > term) return false;
    last = entry;
  }
  return previous.term <= term;
}
