/**
 * When an entry is committed, and what follows from it.
 *
 * Invariants: (1) the commit index never falls; (2) a leader commits by counting only entries of its
 * own term, older ones ride along (rule B4.4, figure 8 of the paper); (3) it counts itself only as far
 * as it has flushed (rule B4.3).
 */
import { invariant } from '../../../proto/model/invariant.ts';
import { type LogIndex, logIndex } from '../../../proto/model/offset.ts';
import type { LogPosition } from './entry.ts';
import { onConfigurationCommitted } from './membership.ts';
import { releaseReads } from './read-index.ts';
import type { LeaderRole, RaftState } from './state.ts';
import { configurationOf, leaderOf, patch, patchLeader, type Turn } from './turn.ts';
import { majorityReached } from './voter.ts';

/** This member's disk holds the log up to `last`, unless it was cut meanwhile. */
export function onFlushed(turn: Turn, last: LogPosition): void {
  const { log, flushedIndex } = turn.state;
  if (last.index <= flushedIndex || log.termAt(last.index) !== last.term) return;
  patch(turn, { flushedIndex: last.index });
  maybeCommit(turn);
}

/** Commits what a majority holds by now. */
export function maybeCommit(turn: Turn): void {
  const role = leaderOf(turn);
  if (role === undefined) return;
  const index = majorityHolds(turn.state, role);
  const { commitIndex, rules } = turn.state;
  if (index === undefined || index <= commitIndex) return;
  if (index < role.termStart && rules.commitsOwnTerm) return;
  advanceCommit(turn, logIndex(index));
  if (leaderOf(turn) === undefined) return;
  // The others learn of it with the next message; nobody waits for a heartbeat.
  patchLeader(turn, { isBroadcastDue: true });
  releaseReads(turn);
}

/** Moves the commit index on; everything up to it is final. */
export function advanceCommit(turn: Turn, to: LogIndex): void {
  const { commitIndex, log, configurations } = turn.state;
  if (to <= commitIndex) return;
  invariant(to <= log.lastIndex, 'only what is in the log is committed');
  patch(turn, { commitIndex: to });
  turn.effects.push({ kind: 'committed', entries: log.between(logIndex(commitIndex + 1), to) });
  for (const configuration of configurations) {
    const isDecided = configuration.index > commitIndex && configuration.index <= to;
    if (isDecided) onConfigurationCommitted(turn, configuration);
  }
}

/** The greatest index that more than half of the voters have flushed. */
function majorityHolds(state: RaftState, role: LeaderRole): number | undefined {
  const own = state.rules.countsFlushed ? state.flushedIndex : state.log.lastIndex;
  return majorityReached(configurationOf(state), (id) =>
    id === state.self ? own : (role.progress.get(id)?.match ?? 0),
  );
}
