/**
 * What a leader sends when a batch of inputs is done: to each member the entries that it lacks,
 * within the bounds, or a heartbeat where one is due. One message serves all that the batch appended.
 */
import { invariant } from '../../../proto/model/invariant.ts';
import { type LogIndex, logIndex, term as makeTerm } from '../../../proto/model/offset.ts';
import { entryBytes, type LogEntry } from './entry.ts';
import { type Progress, sent } from './progress.ts';
import { sendChunk } from './snapshot-send.ts';
import type { LeaderRole, RaftState } from './state.ts';
import {
  configurationsInPlay,
  leaderOf,
  patchLeader,
  sendEarly,
  setProgress,
  type Turn,
} from './turn.ts';
import { isVoterIn, type VoterId } from './voter.ts';

/** Brings every member on. Called once after each batch of inputs. */
export function replicate(turn: Turn): void {
  const role = leaderOf(turn);
  if (role === undefined) return;
  for (const id of role.progress.keys()) replicateTo(turn, id, role);
  if (role.isBroadcastDue) patchLeader(turn, { isBroadcastDue: false });
  forgetRemoved(turn);
}

/**
 * Who is in no configuration that may still decide, and no learner, is served no longer. It was told
 * of the commit that removed it just before (rule B4.8).
 */
function forgetRemoved(turn: Turn): void {
  const role = leaderOf(turn);
  if (role === undefined) return;
  const inPlay = configurationsInPlay(turn.state);
  const isServed = (id: VoterId) =>
    inPlay.some((configuration) => isVoterIn(configuration, id)) || learnerOf(role) === id;
  const kept = [...role.progress].filter(([id]) => isServed(id));
  if (kept.length < role.progress.size) patchLeader(turn, { progress: new Map(kept) });
}

function learnerOf({ change }: LeaderRole): VoterId | undefined {
  return change?.change.kind === 'add' ? change.change.voter.id : undefined;
}

function replicateTo(turn: Turn, id: VoterId, role: LeaderRole): void {
  let progress = role.progress.get(id);
  invariant(progress !== undefined, 'only members are replicated to');
  if (progress.mode !== 'snapshot' && progress.next <= turn.state.log.base.index) {
    progress = { ...progress, mode: 'snapshot', isWaiting: false, snapshot: undefined };
  }
  if (progress.mode === 'snapshot') {
    const isSent = sendChunk(turn, id, progress);
    if (!isSent && role.isBroadcastDue) sendAppend(turn, id, { after: logIndex(0), entries: [] });
    return;
  }
  let isSent = false;
  while (maySend(turn.state, progress)) {
    progress = sendEntries(turn, id, progress);
    isSent = true;
  }
  if (isSent) setProgress(turn, id, progress);
  // Without entries it shows that the leader lives, what is committed, and finds what was lost.
  else if (role.isBroadcastDue) {
    sendAppend(turn, id, { after: logIndex(progress.next - 1), entries: [] });
  }
}

function maySend({ log, timing }: RaftState, progress: Progress): boolean {
  if (progress.next > log.lastIndex) return false;
  return progress.mode === 'probe'
    ? !progress.isWaiting
    : progress.inFlightBytes < timing.inFlightBytesMax;
}

function sendEntries(turn: Turn, id: VoterId, progress: Progress): Progress {
  const { log, timing } = turn.state;
  const entries = log.batchFrom(progress.next, timing.appendBytesMax);
  const last = entries.at(-1)?.index ?? progress.next;
  const bytes = entries.reduce((sum, entry) => sum + entryBytes(entry), 0);
  sendAppend(turn, id, { after: logIndex(progress.next - 1), entries });
  return sent(progress, { last, bytes });
}

/**
 * The leader's own flush need not have ended: a follower answers for its disk alone, and the leader
 * counts itself only after its own flush (rule B4.3).
 */
function sendAppend(
  turn: Turn,
  id: VoterId,
  what: { readonly after: LogIndex; readonly entries: readonly LogEntry[] },
): void {
  const role = leaderOf(turn);
  const { log, commitIndex } = turn.state;
  const term = what.after === 0 ? makeTerm(0) : log.termAt(what.after);
  invariant(role !== undefined && term !== undefined, 'a leader sends what follows its base');
  sendEarly(turn, id, {
    kind: 'append-request',
    previous: { index: what.after, term },
    entries: what.entries,
    commitIndex,
    round: role.round,
  });
}
